"""What a user of `wandb.Api()` asks beside runs and sweeps, through the unmodified SDK."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

LOGGING = """
import datetime, json, time, wandb

def log(run, text, name="data", kind="dataset", ttl=None, **fields):
    art = wandb.Artifact(name, kind)
    if ttl:
        art.ttl = datetime.timedelta(seconds=ttl)
    with art.new_file("f.txt") as file:
        file.write(text)
    return run.log_artifact(art, **fields).wait()

def said(call):
    try:
        return str(call())
    except Exception as error:
        return str(error)

"""


@pytest.fixture
def sdk(user, tmp_path):
    """The variables that point the SDK at a server of this test's own."""
    return {**user.serve(), "WANDB_DIR": str(tmp_path), "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "1"}


def script(user, sdk, code: str) -> dict:
    """Run a script that prints one JSON document last."""
    return json.loads(user.python(LOGGING + code, **sdk).stdout.splitlines()[-1])


def test_an_artifact_lives_as_long_as_it_was_given(user, sdk):
    """It says so, is deleted with its aliases when its time is over, and what came before is the latest again."""
    read = script(
        user,
        sdk,
        """
with wandb.init(project="p") as run:
    log(run, "one")
    log(run, "two", ttl=86_400, aliases=["best"])
    log(run, "three", ttl=86_400)
    run.link_artifact(run.use_artifact("data:v2"), "shelf")
    found = {"code": said(lambda: log(run, "x", "made", "code", ttl=5).version)}
api = wandb.Api()
found["ttl"] = [api.artifact(f"p/data:v{n}").ttl for n in range(3)]
found["ttl"] = [ttl and ttl.total_seconds() for ttl in found["ttl"]]
linked = api.artifact("p/data:v2")
linked.ttl = datetime.timedelta(days=1)
found["linked"] = said(linked.save)
with wandb.init(project="p") as run:
    last = log(run, "four", ttl=86_400)
for art in (last, api.artifact("p/data:best")):
    art.ttl = datetime.timedelta(seconds=1)
    art.save()
until = time.monotonic() + 60
while time.monotonic() < until and (api.artifact_exists("p/data:best") or api.artifact_exists("p/data:v3")):
    time.sleep(0.5)
found["left"] = [[a.version, a.aliases] for a in wandb.Api().artifacts("dataset", "p/data")]
print(json.dumps(found))
""",
    )
    assert read["ttl"] == [None, 86_400, None]
    assert "no time to live" in read["code"]
    assert "unlink it first" in read["linked"]
    assert read["left"] == [["v2", ["latest"]], ["v0", []]]


def test_lists_are_filtered_and_ordered(user, sdk):
    """Collections of a project and of a type, versions, sweeps; and what cannot be asked is said in words."""
    read = script(
        user,
        sdk,
        """
with wandb.init(project="p") as run:
    for name, kind in (("beta", "model"), ("alpha", "model"), ("data", "dataset")):
        log(run, name, name, kind, tags=["good"] * (name == "data"))
    log(run, "bigger than before", "data")
    wandb.sweep({"method": "random", "name": "mine", "parameters": {"x": {"value": 1}}}, project="p")
api = wandb.Api()
project = api.project("p")

def names(found):
    return [each.name for each in found]

found = {
    "project": names(project.collections(filters={"name": {"$regex": "a$"}}, order="name")),
    "type": names(api.artifact_type("model", "p").collections(filters={"name": {"$ne": "beta"}})),
    "ordered": names(api.artifact_collections("p", "model", order="name", per_page=1)),
    "length": len(project.collections(filters={"type": "model"})),
    "versions": names(api.artifacts("dataset", "p/data", order="size", per_page=1)),
    "tagged": names(api.artifacts("dataset", "p/data", tags=["good"])),
    "sweeps": [len([*project.sweeps(filters={"state": state})]) for state in ("PENDING", "RUNNING")],
    "odd": said(lambda: names(project.collections(order="owner"))),
    "odder": said(lambda: names(project.collections(filters={"name": {"$regex": "(a+"}}))),
    "runs": said(lambda: names(api.runs("p", order="owner"))),
}
print(json.dumps(found))
""",
    )
    assert read["project"] == ["alpha", "beta", "data"]
    assert read["type"] == ["alpha"]
    assert read["ordered"] == ["alpha", "beta"]
    assert read["length"] == 2
    assert read["versions"] == ["data:v0", "data:v1"]
    assert read["tagged"] == ["data:v0"]
    assert read["sweeps"] == [1, 0]
    assert "artifact collections have no 'owner'" in read["odd"]
    assert "not a regular expression" in read["odder"]
    assert "runs have no 'owner'" in read["runs"]


def test_teams_and_registries_are_said_not_to_be_there(user, sdk):
    """A user is a team of one; whoever asks for more, or for a registry, reads what there is instead."""
    read = script(
        user,
        sdk,
        """
with wandb.init(project="p") as run:
    art = log(run, "one")
    link = said(lambda: run.link_artifact(art, "wandb-registry-model/thing"))
api = wandb.Api()
shelf = "wandb-registry-model/thing:v0"
print(json.dumps({
    "own": [api.default_entity, api.viewer.teams, api.viewer.entity, [m.username for m in api.team("local").members]],
    "users": [api.user("local").username, api.user("nobody")],
    "team": [said(lambda: api.team("nobody").members), said(lambda: api.create_team("mine"))],
    "registries": [
        link,
        said(lambda: art.link(shelf)),
        said(lambda: [*api.registries()]),
        said(lambda: [*api.registries(organization="us")]),
        said(lambda: [*api.registries(organization="us").collections()]),
        said(lambda: [*api.registries(organization="us").versions()]),
        said(lambda: api.artifact(shelf)),
        said(lambda: api.artifact(f"us/{shelf}")),
        said(lambda: api.organization()),
    ],
}))
""",
    )
    assert read["own"] == ["local", [], "local", ["local"]]
    assert read["users"] == ["local", None]
    assert [text for text in read["team"] if "sweeper server add-user" not in text] == []
    assert [text for text in read["registries"] if "no organizations and no registries" not in text] == []


def test_an_artifact_of_another_digest_has_the_one_that_is_here(user, sdk):
    """The SDK asks whether the server has XXH128, and logs by MD5 where it has not; the files come back whole."""
    read = script(
        user,
        sdk,
        """
with wandb.init(project="p") as run:
    art = wandb.Artifact("fast", "dataset", digest_algorithm="XXH128")
    with art.new_file("f.txt") as file:
        file.write("fast")
    run.log_artifact(art).wait()
art = wandb.Api().artifact("p/fast:latest")
art.verify(art.download())
entry = art.manifest.entries["f.txt"]
print(json.dumps([entry.digest, open(entry.download()).read(), art.version, art.aliases]))
""",
    )
    assert read == ["MdRUG46SaiTwybg1toz98w==", "fast", "v0", ["latest"]]
