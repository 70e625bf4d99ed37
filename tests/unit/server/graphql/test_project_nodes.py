"""GraphQL's Project, as the SDK reads it."""

from __future__ import annotations

import json


def test_missing_run_and_project_are_null(client):
    """What is not there is null where the SDK has its own words for that."""
    client.init("r")
    assert client.run("nope", "id") is None
    assert client.graphql('{ project(name: "nope") { id } }')["project"] is None
    query = '{ model(name: "p") { bucket(name: "nope", missingOk: true) { id } } }'
    assert client.graphql(query)["model"]["bucket"] is None


def test_a_run_to_resume_must_be_there(client):
    """Unless the SDK says that it may be missing; what resumes it is then awaited."""
    client.init("r")
    query = 'query($n: String!) { model(name: "p") { bucket(name: $n) { name } } }'
    assert client.graphql(query, n="r")["model"]["bucket"] == {"name": "r"}
    assert "no run 'x' in local/p" in client.graphql(query, status=404, n="x")


def test_a_project_counts_what_is_in_it(client):
    """Its sweeps, and its runs, all of them or those that a filter holds for."""
    client.init("a")
    client.init("b")
    client.stream("b", complete=True, exitcode=0)
    for _ in range(2):
        client.sweep({"method": "grid", "parameters": {"x": {"values": [1]}}})
    query = """{ project(name: "p") { totalSweeps sweeps(first: 1) { edges { node { project { name } } } }
        all: runCount ended: runCount(filters: "{\\"state\\": \\"finished\\"}") } }"""
    found = client.graphql(query)["project"]
    assert (found["totalSweeps"], found["all"], found["ended"]) == (2, 2, 1)
    assert found["sweeps"]["edges"] == [{"node": {"project": {"name": "p"}}}]


def test_an_artifact_is_found_by_version_alias_or_neither(log, client):
    """`name:v0`, `name:best`, and `name` for the latest; anything else is null."""
    artifact = log.log(aliases=[{"artifactCollectionName": "data", "alias": "best"}])
    query = 'query($n: String!) { project(name: "p") { artifact(name: $n) { id } } }'
    for name in ("data:v0", "data:best", "data", "data:latest"):
        assert client.graphql(query, n=name)["project"]["artifact"] == {"id": artifact}
    for name in ("data:v1", "data:worst", "other", ""):
        assert client.graphql(query, n=name)["project"]["artifact"] is None


def test_types_and_collections_are_listed_once_they_have_a_version(log, client):
    """One that is only being logged is not there yet."""
    query = """{ project(name: "p") { artifactTypes { edges { node { name } } } artifactType(name: "dataset") {
        artifactCollections { edges { node { name } } } artifactCollection(name: "data") { name } }
        artifactCollections { edges { node { name project { name } } } }
        artifactCollection(name: "data") { name } } }"""
    log.create()
    found = client.graphql(query)["project"]
    assert found["artifactTypes"]["edges"] == found["artifactCollections"]["edges"] == []
    assert found["artifactType"] is found["artifactCollection"] is None
    log.log()
    found = client.graphql(query)["project"]
    assert found["artifactTypes"]["edges"] == [{"node": {"name": "dataset"}}]
    assert found["artifactCollections"]["edges"] == [{"node": {"name": "data", "project": {"name": "p"}}}]
    assert found["artifactType"]["artifactCollection"] == found["artifactCollection"] == {"name": "data"}


def test_sweeps_are_filtered(client):
    """By state, name or time, in the words of runs' filters; what a sweep has not is refused."""
    file = {"method": "grid", "parameters": {"x": {"values": [1]}}}
    first, second = client.sweep(file), client.sweep({**file, "name": "mine"})
    query = """query($f: JSONString) { project(name: "p") { sweeps(filters: $f) { edges { node { name } } } } }"""

    def listed(**wanted):
        found = client.graphql(query, f=json.dumps(wanted))["project"]["sweeps"]["edges"]
        return {edge["node"]["name"] for edge in found}

    assert listed() == listed(state="PENDING") == {first, second}
    assert listed(displayName="mine") == {second}
    assert listed(name={"$ne": second}, created_at={"$gt": "2020-01-01"}) == {first}
    assert "sweeps have no" in client.graphql(query, status=400, f='{"color": 1}')
