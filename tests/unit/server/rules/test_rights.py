"""Whose things are changed by whom: each mutation, upload and delivery, by owner, others, and the server's own user."""

from __future__ import annotations

import base64

import pytest

from sweeper.server.graphql.executor import _schema
from sweeper.server.store import users
from tests.unit.server.artifact_logger import Logger
from tests.unit.server.team import changes, fill, new_team

ADDS = {
    "createAgent",  # agents of all users work on a sweep
    "upsertModel",  # finds a project, or makes it
}
"""Mutations that change nothing which is there."""
SERVERS_OWN = {
    "freeSpace",  # test_retention_texts.py
}
"""Mutations of the server's own user alone."""


@pytest.fixture
def team(client):
    """The server with what ann has there, and with bob."""
    team = new_team(client)
    fill(team)
    return team


def test_nobody_changes_what_another_user_has(team):
    """Each mutation on ann's things is refused to bob with 403 and whose it is, and nothing has changed."""
    before = team.everything()
    for mutation, fields in changes(team.ids):
        status, text = team.send("bob", mutation, fields)
        assert (status, "another user's" in text) == (403, True), (mutation, text)
        assert team.everything() == before, mutation


@pytest.mark.parametrize("name", ["ann", "local"])
def test_owners_and_the_servers_own_user_change_it(team, name):
    """The same mutations are none of rights for whoever it belongs to, and for who owns the server."""
    for mutation, fields in changes(team.ids):
        status, text = team.send(name, mutation, fields)
        assert status != 403, (mutation, text)
        assert status == 200 or mutation in {"updateArtifactManifest", "commitArtifact"}, (mutation, text)


def test_every_mutation_is_decided_about(team):
    """One of a new kind is not forgotten: it adds only, or a test says that it is refused to others."""
    decided = {mutation for mutation, _ in changes(team.ids)} | ADDS | SERVERS_OWN
    assert decided == set(_schema().type_map["Mutation"].fields) - {"agentHeartbeat", "linkArtifact"}


def test_everything_is_read_by_everybody(team):
    """As in a team: pages, runs, files and artifacts of ann's are there for bob."""
    with team.acting("bob") as client:
        for page in ("/", "/ann/p", "/ann/p/runs/r", "/files/ann/p/r/model.onnx"):
            assert client.http.get(page).status_code == 200
        query = '{ project(name: "p", entityName: "ann") { runs { edges { node { name user { username } } } } } }'
        (edge,) = client.graphql(query)["project"]["runs"]["edges"]
        assert edge["node"] == {"name": "r", "user": {"username": "ann"}}
        query = '{ project(name: "p", entityName: "ann") { artifact(name: "data:best") { digest } } }'
        assert client.graphql(query)["project"]["artifact"]


def test_nobody_logs_or_uploads_into_another_users_run(team):
    """Neither at the address of its lines nor at one to upload to, which is given to its owner alone."""
    upload = """query { project(name: "p", entityName: "ann") { run(name: "r") {
        files(names: ["model.onnx"]) { edges { node { url(upload: true) } } } } } }"""
    before = team.everything()
    with team.acting("bob") as client:
        for body in ({}, {"complete": True}, {"files": {"output.log": {"content": ["x"]}}}):
            assert client.http.post("/files/ann/p/r/file_stream", json=body).status_code == 403
        assert "another user's" in client.graphql(upload, status=403)
        query = '{ project(name: "p", entityName: "ann") { bucket(name: "r") { name } } }'
        assert client.graphql(query)["project"]["bucket"] == {"name": "r"}  # read, and not taken for resumed
    assert team.everything() == before
    with team.acting("ann") as client:
        assert client.http.post("/files/ann/p/r/file_stream", json={}).status_code == 200
        assert client.graphql(upload)["project"]["run"]["files"]["edges"][0]["node"]["url"]


def test_agents_of_all_work_on_a_sweep_and_have_what_they_run(team):
    """Bob's agent gets a run of ann's sweep: it is his then, and ann speaks neither for it nor for the agent."""
    sweep = base64.b64decode(team.ids["sweep"]).decode().split(":")[2]
    query = """mutation($s: String!) { createAgent(input: {host: "h", sweep: $s, projectName: "p",
        entityName: "ann"}) { agent { id } } }"""
    with team.acting("bob") as client:
        agent = client.graphql(query, s=sweep)["createAgent"]["agent"]["id"]
        (command,) = client.beat(agent)
        fields = {"name": command["run_id"], "entityName": "ann", "modelName": "p", "host": "h"}
        assert team.send("bob", "upsertBucket", fields)[0] == 200
        assert client.beat(agent, command["run_id"]) == []
        path = f"/files/ann/p/{command['run_id']}/file_stream"
        assert client.http.post(path, json={"files": {"output.log": {"content": ["x"]}}}).status_code == 200
    with team.acting("ann") as client:
        assert client.http.post(path, json={"complete": True, "exitcode": 1}).status_code == 403
        heartbeat = 'mutation($a: ID!) { agentHeartbeat(input: {id: $a, runState: "{}"}) { commands } }'
        assert "another user's" in client.graphql(heartbeat, status=403, a=agent)
        assert client.run(command["run_id"], "state user { username }") == {
            "state": "running",
            "user": {"username": "bob"},
        }
    assert team.send("ann", "upsertSweep", {"id": team.ids["sweep"], "state": "CANCELED"})[0] == 200
    with team.acting("bob") as client:
        assert client.beat(agent, command["run_id"])[0]["type"] == "stop"


def test_an_alias_is_not_taken_from_another_users_artifact(team):
    """Bob may log and link further versions, which are the latest then; the names that ann gave stay where they are."""
    place = {"entityName": "ann", "projectName": "p"}
    with team.acting("bob") as client:
        other = Logger(client, contents={"a": b"other"})
        created = {"artifactTypeName": "dataset", "artifactCollectionName": "data", "digest": "0" * 32, **place}
        assert team.send("bob", "createArtifact", {**created, "aliases": ["best"]})[0] == 403
        mine = other.log(**place)
        link = {"artifactID": mine, "artifactPortfolioName": "models", **place}
        assert team.send("bob", "linkArtifact", {**link, "aliases": ["prod"]})[0] == 403
        assert team.send("bob", "linkArtifact", link)[0] == 200
        alias = {"alias": "best", "artifactCollectionName": "data", **place}
        assert team.send("bob", "addAliases", {"artifactID": mine, "aliases": [alias]})[0] == 403
    for collection in ("sequence", "portfolio"):  # holds something of each: neither changes it alone
        fields = {"artifactSequenceID": team.ids[collection], "description": "x"}
        assert [team.send(name, "updateArtifactSequence", fields)[0] for name in ("ann", "bob", "local")] == [
            403,
            403,
            200,
        ]


def test_what_a_removed_user_leaves_is_the_servers_own_users(team):
    """Nobody takes it over, a new user of the same name neither."""
    users.remove_user(team.client.data_dir, "ann")
    team.keys["ann"] = users.add_user(team.client.data_dir, "ann")
    statuses = [team.send(name, "stopRun", {"id": team.ids["run"]})[0] for name in ("bob", "ann", "local")]
    assert statuses == [403, 403, 200]
