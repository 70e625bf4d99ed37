"""Artifacts through the unmodified SDK: logged, found, downloaded, changed, linked and deleted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def sdk(user, tmp_path):
    """The variables that point the SDK at a server of this test's own."""
    return {**user.serve(), "WANDB_DIR": str(tmp_path), "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "1"}


def script(user, sdk, code: str) -> dict:
    """Run a script that prints one JSON document last."""
    return json.loads(user.python(code, **sdk).stdout.splitlines()[-1])


LOG = """
import http.server, json, pathlib, threading, wandb
pathlib.Path("d/sub").mkdir(parents=True)
pathlib.Path("d/a.txt").write_text("A")
pathlib.Path("d/sub/b.txt").write_text("B")

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass

web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
threading.Thread(target=web.serve_forever, daemon=True).start()
with wandb.init(project="p", name="maker") as run:
    art = wandb.Artifact("data", "dataset", description="first", metadata={"n": 1})
    art.add_dir("d")
    art.add_file("d/a.txt", name="again.txt")
    with art.new_file("made.txt") as file:
        file.write("made")
    art.add_reference(f"http://127.0.0.1:{web.server_port}/d/a.txt", name="web.txt")
    art.add_reference(pathlib.Path("d/a.txt").resolve().as_uri(), name="local.txt")
    art.add(wandb.Table(columns=["x"], data=[[1], [2]]), "t")
    run.log_artifact(art, aliases=["best"], tags=["good one"])
    art.wait()
    logged = [art.name, art.state, sorted(art.aliases), art.tags, art.file_count]
"""


def test_an_artifact_comes_back_as_it_was_logged(user, sdk):
    """Files, folders, references and tables are logged by one run; another uses, downloads and verifies them."""
    read = script(
        user,
        sdk,
        LOG
        + """
for cached in pathlib.Path(wandb.env.get_cache_dir(), "artifacts", "obj").rglob("*"):
    if cached.is_file():  # so that the server is asked for it (skip_cache=True mixes threads' files up, 0.31.0)
        cached.unlink()
with wandb.init(project="p", name="user") as other:
    used = other.use_artifact("data:best")
    place = pathlib.Path(used.download())
api = wandb.Api()
art = api.artifact("p/data:latest", type="dataset")
art.verify(str(place))
pathlib.Path("co").mkdir()
pathlib.Path("co", "junk").write_text("junk")
art.checkout("co")
print(json.dumps({
    "logged": logged,
    "downloaded": {str(p.relative_to(place)): p.read_text() for p in place.rglob("*.txt")},
    "entry": pathlib.Path(art.get_entry("sub/b.txt").download(root="one")).read_text(),
    "table": art.get("t").data,
    "files": [[f.name, f.size] for f in art.files() if f.name != "t.table.json"],
    "file": art.files(names=["made.txt"])[0].download(root="two").read(),
    "count": len(art.files()),
    "checked out": sorted(p.name for p in pathlib.Path("co").iterdir()),
    "about": [art.version, art.description, art.metadata, art.type, art.digest == art.manifest.digest()],
    "runs": [art.logged_by().name, [r.name for r in art.used_by()]],
    "made": [a.name for a in api.run(f"p/{run.id}").logged_artifacts()],
    "used": [a.name for a in api.run(f"p/{other.id}").used_artifacts()],
}))
""",
    )
    assert read["logged"] == ["data:v0", "COMMITTED", ["best", "latest"], ["good one"], 7]
    texts = {"a.txt": "A", "again.txt": "A", "sub/b.txt": "B", "made.txt": "made", "web.txt": "A", "local.txt": "A"}
    assert read["downloaded"] == texts
    assert (read["entry"], read["table"], read["file"], read["count"]) == ("B", [[1], [2]], "made", 7)
    assert read["files"] == sorted([name, len(text)] for name, text in texts.items())
    assert read["checked out"] == ["a.txt", "again.txt", "local.txt", "made.txt", "sub", "t.table.json", "web.txt"]
    assert read["about"] == ["v0", "first", {"n": 1}, "dataset", True]
    assert read["runs"] == ["maker", ["user"]]
    assert (read["made"], read["used"]) == (["data:v0"], ["data:v0"])


def test_versions_and_what_is_known_of_them(user, sdk):
    """Versions count up, the same content stays one, `latest` moves, and what describes a version can be changed."""
    read = script(
        user,
        sdk,
        """
        import datetime, json, wandb

        def log(run, text, name="data", **fields):
            art = wandb.Artifact(name, "dataset", **fields)
            with art.new_file("f.txt") as file:
                file.write(text)
            return run.log_artifact(art).wait()

        with wandb.init(project="p") as run:
            versions = [log(run, text).version for text in ("one", "two", "two", "one")]
            log(run, "x", name="other")
        api = wandb.Api()
        found = {"versions": versions, "latest": api.artifact("p/data:latest").version}
        art = api.artifact("p/data:v1")
        art.aliases += ["prod", "mine"]
        art.metadata["n"], art.description = 5, "said"
        art.tags.append("tried")
        art.ttl = datetime.timedelta(days=3)
        art.save()
        art.aliases.remove("mine")
        art.save()
        art = wandb.Api().artifact("p/data:prod")
        found["changed"] = [art.version, art.aliases, art.metadata, art.description, art.tags, art.ttl.days]
        found["types"] = [t.name for t in api.artifact_types("p")]
        found["collections"] = [c.name for c in api.artifact_type("dataset", "p").collections()]
        found["all"] = [[a.name, a.version] for a in api.artifacts("dataset", "p/data")]
        found["tagged"] = [a.version for a in api.artifacts("dataset", "p/data", tags="tried")]
        found["aliases"] = sorted(api.artifact_collection("dataset", "p/data").aliases)
        names = ("p/data:v0", "p/data:prod", "p/data:v7", "p/none:v0", "none/data:v0")
        found["exist"] = [api.artifact_exists(name) for name in names]
        found["collection"] = [api.artifact_collection_exists(n, "dataset") for n in ("p/data", "p/none")]
        collection = api.artifact_collection("dataset", "p/other")
        collection.name, collection.description, collection.tags = "renamed", "about", ["t"]
        collection.save()
        again = wandb.Api().artifact_collection("dataset", "p/renamed")
        found["renamed"] = [again.description, again.tags]
        again.delete()
        found["gone"] = wandb.Api().artifact_exists("p/renamed:v0")
        try:
            art.delete()
        except Exception as error:
            found["refused"] = str(error)
        art.delete(delete_aliases=True)
        wandb.Api().artifact("p/data:latest").delete(delete_aliases=True)
        with wandb.init(project="p") as run:
            found["next"] = log(run, "three").version
        print(json.dumps(found))
        """,
    )
    assert read["versions"] == ["v0", "v1", "v1", "v0"]
    assert read["latest"] == "v0"
    assert read["changed"] == ["v1", ["prod"], {"n": 5}, "said", ["tried"], 3]
    assert read["types"] == ["dataset"]
    assert read["collections"] == ["other", "data"]
    assert read["all"] == [["data:v1", "v1"], ["data:v0", "v0"]]
    assert read["tagged"] == ["v1"]
    assert read["aliases"] == ["latest", "prod"]
    assert read["exist"] == [True, True, False, False, False]
    assert read["collection"] == [True, False]
    assert read["renamed"] == ["about", ["t"]]
    assert not read["gone"]
    assert "prod" in read["refused"]
    assert read["next"] == "v2"


def test_an_artifact_may_build_on_others(user, sdk):
    """Increments, drafts, several runs filling one, references, links, models and code; a run deleted with its own."""
    read = script(
        user,
        sdk,
        """
        import json, pathlib, wandb

        def art(name, *files, **fields):
            new = wandb.Artifact(name, "dataset", **fields)
            for name in files:
                with new.new_file(name) as file:
                    file.write(name)
            return new

        def state(name):
            found = wandb.Api().artifact(name)
            place = pathlib.Path(found.download(root=f"down/{found.id}"))
            assert sorted(p.read_text() for p in place.iterdir()) == sorted(found.manifest.entries)
            return [found.version, sorted(found.manifest.entries), found.digest == found.manifest.digest()]

        pathlib.Path("model.bin").write_text("weights")
        pathlib.Path("code.py").write_text("pass")
        found = {}
        with wandb.init(project="p") as run:
            run.log_artifact(art("data", "a")).wait()
            run.log_artifact(art("data", "b", incremental=True)).wait()
            found["incremental"] = state("p/data:latest")
            draft = run.use_artifact("data:latest").new_draft()
            draft.remove("a")
            run.log_artifact(draft).wait()
            found["draft"] = state("p/data:latest")
            run.log_model("model.bin", name="net")
            run.log_code(".", name="source", include_fn=lambda path: path.endswith(".py"))
            run.log({"rows": wandb.Table(columns=["x"], data=[[1]])})
        for number in range(3):
            with wandb.init(project="p", group="g") as part:
                if number < 2:
                    part.upsert_artifact(art("parts", f"p{number}"), distributed_id="id")
                else:
                    found["early"] = wandb.Api().artifact_exists("p/parts:latest")
                    part.finish_artifact(art("parts", "p2"), distributed_id="id").wait()
        found["parts"] = state("p/parts:latest")
        api = wandb.Api()
        with wandb.init(project="p") as last:
            derived = wandb.Artifact("derived", "dataset")
            derived.add_reference(api.artifact("p/data:v0").get_entry("a").ref_url(), name="a")
            last.log_artifact(derived).wait()
            linked = last.link_artifact(api.artifact("p/data:v1"), "p/folio", aliases=["prod"])
            found["model"] = pathlib.Path(last.use_model("net:latest")).read_text()
        found["derived"] = state("p/derived:latest")
        found["linked"] = [linked.name, linked.is_link, linked.source_name, sorted(linked.aliases)]
        found["links"] = [a.name for a in wandb.Api().artifact("p/data:v1").linked_artifacts]
        api.artifact("p/folio:prod").unlink()
        found["unlinked"] = [wandb.Api().artifact_exists(name) for name in ("p/folio:prod", "p/data:v1")]
        names = [a.name.partition(":")[0] for a in api.run(f"p/{run.id}").logged_artifacts()]
        found["logged"] = sorted(name.replace(run.id, "ID") for name in names)
        try:
            last.link_artifact(api.artifact("p/data:v1"), "wandb-registry-model/x")
        except Exception as error:
            found["registry"] = type(error).__name__
        folio, parts = api.artifact_collection("dataset", "p/folio"), api.artifact_collection("dataset", "p/parts")
        folio.name, parts.type = "folder", "chunks"
        folio.save()
        parts.save()
        found["changed"] = [wandb.Api().artifact("p/parts:v0").type, wandb.Api().artifact_exists("p/folder:v0")]
        api.artifact_collection("dataset", "p/folder").delete()
        found["portfolio"] = wandb.Api().artifact_collection_exists("p/folder", "dataset")
        api.run(f"p/{run.id}").delete(delete_artifacts=True)
        found["left"] = [wandb.Api().artifact_exists(name) for name in ("p/data:v1", "p/net:v0", "p/parts:v0")]
        print(json.dumps(found))
        """,
    )
    assert read["incremental"] == ["v1", ["a", "b"], True]
    assert read["draft"] == ["v2", ["b"], True]
    assert not read["early"]
    assert read["parts"] == ["v0", ["p0", "p1", "p2"], True]
    assert read["derived"] == ["v0", ["a"], True]
    assert read["model"] == "weights"
    assert read["linked"] == ["folio:v0", True, "data:v1", ["latest", "prod"]]
    assert read["links"] == ["folio:v0"]
    assert read["unlinked"] == [False, True]
    assert read["logged"] == ["data", "data", "data", "net", "run-ID-rows", "source"]
    assert read["registry"]
    assert read["changed"] == ["chunks", False]
    assert not read["portfolio"]
    assert read["left"] == [False, False, True]


MANY = """
import json, os, pathlib, wandb
pathlib.Path("many").mkdir()
for number in range(300):
    pathlib.Path("many", str(number)).write_bytes(os.urandom(1000))
with wandb.init(project="p") as run:
    art = wandb.Artifact("many", "dataset")
    art.add_dir("many")
    run.log_artifact(art).wait()
"""


@pytest.mark.long
def test_an_artifact_outlives_a_killed_server(user, sdk):
    """A kill -9 of the server in the middle of an upload, and one right after it: all is there, byte for byte."""
    command = [sys.executable, "-c", MANY]
    logger = subprocess.Popen(command, cwd=user.folder, env={**user.environ, **sdk})
    user.started.append(logger)
    user.wait(lambda: len(list(user.home.glob("server/artifacts/*/*/*"))) > 10, "the first files")
    restart(user, sdk)
    assert logger.wait(120) == 0
    restart(user, sdk)
    code = """
    import json, pathlib, wandb
    place = pathlib.Path(wandb.Api().artifact("p/many:latest").download(root="back"))
    same = [(place / p.name).read_bytes() == p.read_bytes() for p in pathlib.Path("many").iterdir()]
    print(json.dumps([len(same), all(same)]))
    """
    assert script(user, {**sdk, "WANDB_CACHE_DIR": str(user.home / "another cache")}, code) == [300, True]


def restart(user, sdk) -> None:
    """Kill the server and start it again at the same address."""
    (server,) = [process for process in user.started if process.poll() is None and "serve" in process.args]
    server.kill()
    server.wait()
    user.start("serve", "--data", user.home / "server", "--port", sdk["WANDB_BASE_URL"].rpartition(":")[2])
    user.wait(lambda: "http" in user.start("server", "status").communicate()[0], "the server")


def test_wandb_verify_is_content(user, sdk):
    """W&B's own check of an installation passes: files, large requests, versions, metrics, artifacts."""
    code = """
    import json, wandb
    from wandb.sdk.verify import verify
    api = wandb.Api()
    host = api.settings["base_url"]
    uploaded, url = verify.check_graphql_put(api, host)
    verify.check_cors_configuration(url, host)
    verify.check_wandb_version(api)
    print(json.dumps([uploaded, verify.check_large_post(), verify.check_run(api), verify.check_artifacts()]))
    """
    said = user.python(code, **sdk).stdout
    assert json.loads(said.splitlines()[-1]) == [True] * 4
    assert verify_marks(said) == ["\u2705"] * 6


def verify_marks(said: str) -> list[str]:
    """Read what stands behind the dots."""
    return [line[-1] for line in said.splitlines() if ".." in line and line[-1] in "\u2705\u274c"]
