"""A private project is not there for others: each query, mutation, address and page, with another user's key."""

from __future__ import annotations

import base64
import json
import re

import pytest

from sweeper.server.graphql.executor import _schema
from sweeper.server.http.app import WITHOUT_KEY, _routes
from sweeper.server.store import users
from tests.unit.server.artifact_logger import Logger, md5_of
from tests.unit.server.team import changes, fill, new_team

NOT_OF_PROJECTS = {"createCustomChart", "freeSpace"}
"""Mutations on what a user has, or the server, without a project."""
MAKING = {"upsertBucket", "createArtifact", "upsertSweep", "linkArtifact", "upsertModel"}
"""Mutations that make a project of a name that is free."""
PLACE = {"entityName": "ann", "projectName": "p"}


@pytest.fixture
def team(client):
    """A server with ann's private project `p`, with all kinds of things in it, and with bob and a project of his."""
    team = new_team(client)
    ids = team.ids
    assert team.send("ann", "upsertModel", {"name": "p", "entityName": "ann", "access": "RESTRICTED"})[0] == 200
    fill(team)
    with team.acting("bob"):
        assert team.send("bob", "upsertBucket", {"name": "b", "modelName": "mine", "config": "{}"})[0] == 200
        ids["public"] = Logger(client, name="open").log(projectName="mine")
    with team.acting("ann"):
        link = {"artifactID": ids["public"], "artifactPortfolioName": "shelf", "aliases": ["top"], **PLACE}
        assert team.send("ann", "linkArtifact", link)[0] == 200
        assert team.send("ann", "useArtifact", {"artifactID": ids["public"], "runName": "r", **PLACE})[0] == 200
        ids["client"] = "named-by-ann"
        Logger(client, name="named", contents={"c": b"C"}).create(clientID=ids["client"])
        ids["agent"] = client.agent(_name_of(ids["sweep"]))
    return team


def _name_of(id_):
    return base64.b64decode(id_).decode().split(":")[2]


def adding(ids):
    """Give the mutations that add to a project, or look for one, with their inputs."""
    sweep = _name_of(ids["sweep"])
    return [
        ("upsertModel", {"name": "p", "entityName": "ann"}),
        ("upsertModel", {"name": "p", "entityName": "ann", "access": "RESTRICTED"}),
        ("upsertSweep", {"config": "method: random\nparameters: {a: {value: 1}}", **PLACE}),
        ("upsertBucket", {"name": "new", "entityName": "ann", "modelName": "p", "config": "{}"}),
        ("createAgent", {"host": "h", "sweep": sweep, **PLACE}),
        ("createAgent", {"host": "h", "sweep": sweep}),
        ("agentHeartbeat", {"id": ids["agent"], "runState": "{}"}),
        ("linkArtifact", {"artifactID": ids["artifact"], "artifactPortfolioName": "m", "projectName": "mine"}),
        ("linkArtifact", {"artifactID": ids["public"], "artifactPortfolioName": "m", **PLACE}),
        ("useArtifact", {"artifactID": ids["artifact"], "runName": "b", "projectName": "mine", "entityName": "bob"}),
    ]


def test_nothing_is_changed_or_told_by_any_mutation(team):
    """Each is answered to bob as for what is not there, with no word of whose it is, and nothing has changed."""
    before = team.everything()
    said = {"deleteFiles", "deleteArtifact", "deleteArtifactSequence", "deleteArtifactPortfolio"}  # gone is gone
    tried = [*changes(team.ids), *adding(team.ids)]
    for mutation, fields in tried:
        if mutation in NOT_OF_PROJECTS:
            continue
        status, text = team.send("bob", mutation, fields)
        assert (status, "user" in text) == (200 if mutation in said else 404, False), (mutation, status, text)
        assert team.everything() == before, mutation
    assert (team.client.data_dir / "files" / "ann" / "p" / "r" / "model.onnx").is_file()
    assert {mutation for mutation, _ in tried} | {"freeSpace"} == set(_schema().type_map["Mutation"].fields)


def test_a_mutation_says_the_same_of_what_is_not_there(team):
    """Word for word, but for the names: with another project's name, or an id that nobody was given."""
    for mutation, fields in [*changes(team.ids), *adding(team.ids)]:
        text = json.dumps(fields)
        for name, known in team.ids.items():
            parts = base64.b64decode(known).decode().split(":") if name not in {"md5", "agent", "client"} else []
            other = ["9" * 9 if part.isdecimal() else "q" if part == "p" else part for part in parts]
            text = text.replace(known, base64.b64encode(":".join(other).encode()).decode() if parts else known)
        text = text.replace('Name": "p"', 'Name": "q"')
        if text == json.dumps(fields) or mutation in NOT_OF_PROJECTS | MAKING or mutation.startswith("delete"):
            continue
        kept, free = team.send("bob", mutation, fields), team.send("bob", mutation, json.loads(text))
        assert kept[0] == free[0], (mutation, kept, free)
        assert _without_names(kept[1]) == _without_names(free[1]), mutation


def _without_names(text):
    return text.replace("/p", "/q").replace("'p'", "'q'")


QUERIES = {
    "project": ['project(name: "p", entityName: "ann") { id runs { edges { node { id } } } }'],
    "model": ['model(name: "p", entityName: "ann") { id bucket(name: "r") { id } }'],
    "models": ['models(entityName: "ann") { edges { node { name } } }'],
    "entity": [
        'entity(name: "ann") { projects { edges { node { name } } } user { projects { edges { node { id } } } } }'
    ],
    "users": ['users(query: "ann") { edges { node { projects { edges { node { name } } } } } }'],
    "artifact": ['artifact(id: "%(artifact)s") { digest }', 'artifact(id: "%(begun)s") { digest }'],
    "artifactCollection": [
        'artifactCollection(id: "%(sequence)s") { name }',
        'artifactCollection(id: "%(portfolio)s") { name }',
    ],
    "clientIDMapping": ['clientIDMapping(clientID: "%(client)s") { serverID }'],
    "viewer": ["viewer { projects { edges { node { id name } } } }"],
}
NOTHING = {"serverInfo", "organization"}
"""Queries that know of no project."""


def test_no_query_finds_it(team):
    """Neither by name, nor by ids, nor in a list: null, an empty list, or the words for what is not there."""
    assert set(QUERIES) | NOTHING == set(_schema().type_map["Query"].fields)
    for queries in QUERIES.values():
        for query in queries:
            with team.acting("bob") as client:
                answer = client.http.post("/graphql", json={"query": f"{{ {query % team.ids} }}"})
            text = json.dumps(answer.json().get("data")).replace('"mine"', "")
            assert '"p"' not in text, query
            assert answer.status_code == 404 or "digest" not in query, query
            with team.acting("ann") as client:
                assert client.http.post("/graphql", json={"query": f"{{ {query % team.ids} }}"}).status_code == 200


def test_what_is_seen_leads_to_nothing_that_is_hidden(team):
    """Bob's artifact, which ann has linked and used in her project, tells him of neither collection nor run."""
    query = """{ artifact(id: "%(public)s") { aliases { alias } usedBy { edges { node { name } } }
        artifactMemberships { edges { node { artifactCollection { name } } } } } }"""
    seen = {}
    for name in ("ann", "bob"):
        with team.acting(name) as client:
            seen[name] = client.graphql(query % team.ids)["artifact"]
    assert "shelf" in json.dumps(seen["ann"])
    assert "shelf" not in json.dumps(seen["bob"])
    assert [edge["node"]["name"] for edge in seen["ann"]["usedBy"]["edges"]] == ["r"]
    assert seen["bob"]["usedBy"]["edges"] == []
    assert [alias["alias"] for alias in seen["bob"]["aliases"]] == ["latest", "v0"]


def test_what_it_holds_stays_in_it(team):
    """Neither its owner nor the server's own user shows an artifact of it in a project that others see."""
    link = {"artifactID": team.ids["artifact"], "artifactPortfolioName": "m", "projectName": "mine"}
    for name in ("ann", "local"):
        status, text = team.send(name, "linkArtifact", {**link, "entityName": "bob"})
        assert (status, "is private" in text) == (400, True), text
    use = {"artifactID": team.ids["artifact"], "runName": "b", "projectName": "mine", "entityName": "bob"}
    assert team.send("local", "useArtifact", use)[0] == 400


PAGES = [
    "/ann/p",
    "/ann/p/runs/r",
    "/ann/p/compare?runs=r",
    "/ann/p/artifacts",
    "/ann/p/artifacts/dataset/data",
    "/ann/p/artifacts/dataset/data/v0",
    "/ann/p/artifacts/dataset/data/v0/files",
    "/ann/p/sweeps/{sweep}",
    "/files/ann/p/r/model.onnx",
    "/artifactsV2/default/ann/p/data/x/{md5}/a",
    "/artifactsV2/default/ann/x/{md5}",
    "/artifacts/ann/{md5}",
    "/-/models/ann/p/runs/r/model.onnx",
    "/-/models/ann/p/artifacts/data/v0/a",
    "/ann",
]


def test_no_page_and_no_file_is_there(team):
    """Each answers as for another name; home does not list it."""
    sweep, md5 = _name_of(team.ids["sweep"]), base64.b64decode(md5_of(Logger(team.client).contents["a"])).hex()
    for page in PAGES:
        path = page.format(sweep=sweep, md5=md5)
        with team.acting("bob") as client:
            kept, free = client.http.get(path), client.http.get(path.replace("/ann", "/zoe"))
        assert (kept.status_code, kept.text.replace("ann", "zoe")) == (404, free.text), path
        with team.acting("ann") as client:
            assert client.http.get(path).status_code == 200, path
    for name, there in (("bob", False), ("ann", True), ("local", True)):
        with team.acting(name) as client:
            assert ("ann/p" in client.http.get("/").text) is there
    with team.acting("bob") as client:
        assert client.http.post("/files/ann/p/r/file_stream", json={}).status_code == 404


def test_no_data_and_no_button_of_its_pages_is_there(team):
    """Each address below a project's answers bob as for another name, whatever page it is for; ann it does not."""
    names = {"project": "p", "run": "r", "sweep": _name_of(team.ids["sweep"]), "action": "stop"}
    routes = [route for route in _routes() if route.path.startswith(("/-/data/{entity}/", "/-/actions/{entity}/"))]
    assert len(routes) >= 4
    for route in routes:
        method = "POST" if "POST" in route.methods else "GET"
        answers = {}
        for name, entity in (("bob", "ann"), ("bob", "zoe"), ("ann", "ann")):
            fields = {field: names.get(field, "x") for field in route.param_convertors} | {"entity": entity}
            path = re.sub(r"{(\w+)[^}]*}", lambda part, fields=fields: fields[part[1]], route.path)
            with team.acting(name) as client:
                answer = client.http.request(
                    method, path, headers={"X-Sweeper-Page": "1"}, json={} if method == "POST" else None
                )
            answers[name, entity] = answer.status_code, answer.text.replace("ann", "zoe")
        assert answers["bob", "ann"] == answers["bob", "zoe"], route.path
        assert answers["bob", "ann"][0] == 404, route.path
        assert answers["ann", "ann"][0] != 404 or "no project" not in answers["ann", "ann"][1], route.path


def test_nobody_finds_it(team):
    """The box that finds things knows of it for ann alone: neither project nor sweep nor run."""
    sweep = _name_of(team.ids["sweep"])
    for name, there in (("bob", False), ("ann", True)):
        with team.acting(name) as client:
            told = [client.http.get("/-/data/search", params={"q": words}).text for words in ("ann", "p", "r", sweep)]
        assert any("/ann/p" in text for text in told) is there


@pytest.mark.parametrize("topic", ["project", "sweep", "run"])
def test_nobody_hears_that_something_of_it_has_changed(team, topic):
    """Bob's page of it is told that there is no such thing; ann's is let in."""
    asked = {"topics": topic, "entity": "ann", "project": "p", "sweep": _name_of(team.ids["sweep"]), "run": "r"}
    for name, status in (("bob", 404), ("ann", 200)):
        with team.acting(name) as client:
            assert client.http.head("/-/events", params=asked).status_code == status


def test_a_browser_sees_what_its_user_sees(team):
    """A session is its user's, as a key is."""
    http = team.client.http
    http.headers.pop("Authorization")
    for name, status in (("bob", 404), ("ann", 200)):
        assert http.post("/login", data={"key": team.keys[name]}, follow_redirects=False).status_code == 303
        assert http.get("/ann/p").status_code == status
        http.cookies.clear()


def test_every_address_is_decided_about():
    """A route of a new kind is not forgotten: it knows no project, is open to signed addresses alone, or is tried."""
    tried = {"graphql_endpoint", "take_lines", "download_file", "download_by_name", "download_of_entity", "stream"}
    tried |= {"open_run_model", "open_artifact_model"}
    below = ("/-/data/{entity}/{project}", "/-/actions/{entity}/{project}", "/-/data/search")  # all of these are
    pages = {"home", "entity_page", "project_page", "sweep_page", "run_page", "compare_page"}
    pages |= {"artifacts_page", "artifact_page", "newest_page", "artifact_tab"}
    nothing = {"page_above", "make_link", "log_out"}  # an address of W&B's, put as one of ours; and what logs in
    known = {route.endpoint.__name__ for route in _routes() if not route.path.startswith(below)}
    known -= {endpoint.__name__ for endpoint in WITHOUT_KEY}
    assert known <= tried | pages | nothing, known


def test_a_project_is_private_from_its_beginning_or_never(team):
    """One that is there for all stays so; asked for again by its owner it is the same one."""
    status, text = team.send("ann", "upsertModel", {"name": "mine", "entityName": "bob", "access": "RESTRICTED"})
    assert (status, "everybody's" in text) == (409, True)
    for name in ("ann", "local"):
        assert team.send(name, "upsertModel", {"name": "p", "entityName": "ann", "access": "RESTRICTED"})[0] == 200
    with team.acting("ann") as client:
        assert client.graphql('{ project(name: "p") { access } }')["project"] == {"access": "RESTRICTED"}


def test_it_is_the_servers_own_users_once_its_owner_is_removed(team):
    """A new user of the same name does not find it."""
    users.remove_user(team.client.data_dir, "ann")
    team.keys["ann"] = users.add_user(team.client.data_dir, "ann")
    for name, found in (("ann", False), ("bob", False), ("local", True)):
        with team.acting(name) as client:
            assert bool(client.graphql('{ project(name: "p", entityName: "ann") { id } }')["project"]) is found
