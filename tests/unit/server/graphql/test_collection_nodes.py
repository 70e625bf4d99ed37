"""GraphQL's collections and types of artifacts, as the SDK reads them."""

from __future__ import annotations

import json

from tests.unit.server.artifact_logger import Logger

COLLECTION = """query($name: String!) { project(name: "p") { artifactCollection(name: $name) { %s } } }"""


def read(client, fields, name="data"):
    return client.graphql(COLLECTION % fields, name=name)["project"]["artifactCollection"]


def two_versions(log):
    first = log.log()
    log.contents = {"a": b"second"}
    return first, log.log(aliases=[{"artifactCollectionName": "data", "alias": "best"}])


def test_versions_come_newest_first_unless_asked_otherwise(log, client):
    """Each edge says which version it is; pages join."""
    first, second = two_versions(log)
    fields = "artifacts%s { totalCount edges { version cursor node { id } } }"
    found = read(client, fields % "")["artifacts"]
    assert [(edge["version"], edge["node"]["id"]) for edge in found["edges"]] == [("v1", second), ("v0", first)]
    found = read(client, fields % '(order: "createdAt", first: 1)')["artifacts"]
    assert ([edge["version"] for edge in found["edges"]], found["totalCount"]) == (["v0"], 2)
    after = found["edges"][0]["cursor"]
    found = read(client, fields % f'(order: "createdAt", after: "{after}")')["artifacts"]
    assert [edge["version"] for edge in found["edges"]] == ["v1"]


def test_a_collection_has_its_latest_and_its_aliases(log, client):
    """`latest` goes with the newest version; another alias stays where it was given."""
    first, second = two_versions(log)
    fields = """... on ArtifactSequence { latestArtifact { id } } aliases { edges { node { alias } } }
        best: artifactMembership(aliasName: "best") { versionIndex artifact { id } files { totalCount } }
        v0: artifactMembership(aliasName: "v0") { versionIndex artifact { id } }
        latest: artifactMembership { versionIndex } none: artifactMembership(aliasName: "v7") { versionIndex }"""
    found = read(client, fields)
    assert found["latestArtifact"] == {"id": second}
    assert [edge["node"]["alias"] for edge in found["aliases"]["edges"]] == ["best", "latest"]
    assert found["best"] == {"versionIndex": 1, "artifact": {"id": second}, "files": {"totalCount": 1}}
    assert found["v0"] == {"versionIndex": 0, "artifact": {"id": first}}
    assert (found["latest"], found["none"]) == ({"versionIndex": 1}, None)


def test_a_collection_is_of_one_type(log, client):
    """By whichever of two names the SDK asks; the type finds the collection again, and no other type does."""
    log.log()
    found = read(client, 'state type { name } defaultArtifactType { name artifactCollection(name: "data") { name } }')
    assert found["state"] == "READY"
    assert found["type"] == {"name": "dataset"}
    assert found["defaultArtifactType"] == {"name": "dataset", "artifactCollection": {"name": "data"}}
    other = Logger(client, "net", {"x": b"x"})
    other.log(artifactTypeName="model")
    query = """{ project(name: "p") { artifactType(name: "model") { artifactCollection(name: "data") { name }
        artifactCollections { edges { node { name } } } } } }"""
    found = client.graphql(query)["project"]["artifactType"]
    assert found == {"artifactCollection": None, "artifactCollections": {"edges": [{"node": {"name": "net"}}]}}


def test_a_type_finds_its_artifacts_and_no_others(log, client):
    """By the words that find one in a project: `artifact.files()` asks so to 0.27."""
    first, second = two_versions(log)
    query = """query($type: String!, $name: String!) { project(name: "p") { artifactType(name: $type) {
        artifact(name: $name) { id files(names: ["a"]) { totalCount } } } } }"""

    def found(name, of="dataset"):
        return client.graphql(query, type=of, name=name)["project"]["artifactType"]["artifact"]

    assert found("data:v0") == {"id": first, "files": {"totalCount": 1}}
    assert [found(name)["id"] for name in ("data", "data:best", "data:v1")] == [second] * 3
    Logger(client, "net", {"x": b"x"}).log(artifactTypeName="model")
    assert [found("data:v7"), found("net:v0"), found("none"), found("data:v0", of="model")] == [None] * 4


def test_collections_are_filtered_and_ordered(client):
    """Those of a project and those of a type, by what the SDK has names for; what there is not is refused."""
    for name, kind in (("beta", "model"), ("alpha", "model"), ("data", "dataset")):
        Logger(client, name, {"a": name.encode()}).log(artifactTypeName=kind)
    query = """query($f: JSONString, $o: String) { project(name: "p") {
        artifactCollections(filters: $f, order: $o, first: 2) { totalCount edges { node { name } } }
        artifactType(name: "model") { artifactCollections(filters: $f, order: $o) { edges { node { name } } } } } }"""

    def listed(filters=None, order=None):
        found = client.graphql(query, f=json.dumps(filters or {}), o=order)["project"]
        ways = (found["artifactCollections"], found["artifactType"]["artifactCollections"])
        return [[edge["node"]["name"] for edge in way["edges"]] for way in ways], ways[0]["totalCount"]

    assert listed() == ([["data", "alpha"], ["alpha", "beta"]], 3)
    assert listed(order="name") == ([["alpha", "beta"], ["alpha", "beta"]], 3)
    assert listed({"name": {"$in": ["beta", "data"]}}, "-name") == ([["data", "beta"], ["beta"]], 2)
    assert listed({"type": "dataset", "state": "READY"}) == ([["data"], []], 1)
    assert "have no 'owner': use createdAt" in client.graphql(query, status=400, o="owner")
    assert "have no 'owner': use createdAt" in client.graphql(query, status=400, f='{"owner": 1}')


def test_versions_are_filtered_and_ordered(log, client):
    """By tags, aliases, sizes and times; `state`, which the SDK asks for always, holds for all of them."""
    log.log(tags=[{"tagName": "tried"}], aliases=[{"artifactCollectionName": "data", "alias": "best"}])
    log.contents = {"a": b"A" * 9}
    log.log()

    def listed(filters, order=None):
        query = """query($f: JSONString, $o: String) { project(name: "p") { artifactCollection(name: "data") {
            artifacts(filters: $f, order: $o) { edges { version } } } } }"""
        found = client.graphql(query, f=json.dumps(filters), o=order)["project"]["artifactCollection"]["artifacts"]
        return [edge["version"] for edge in found["edges"]]

    assert listed({"state": "COMMITTED"}) == ["v1", "v0"]
    assert listed({"state": "COMMITTED", "tag": "tried"}) == ["v0"]
    assert listed({"alias": {"$in": ["latest"]}}) == ["v1"]
    assert listed({"versionIndex": {"$lt": 1}}) == ["v0"]
    assert listed({}, "size") == ["v0", "v1"]
    assert listed({}, "-size") == ["v1", "v0"]
    assert listed({}, "+createdAt") == ["v0", "v1"]


def test_a_type_tells_a_sequence_from_a_portfolio(log, client):
    """To 0.21 the SDK asks that of every collection that it opens."""
    link = "mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }"
    client.graphql(link, i={"artifactID": log.log(), "artifactPortfolioName": "linked", "projectName": "p"})
    query = """{ project(name: "p") { artifactType(name: "dataset") {
        data: artifactSequence(name: "data") { __typename } linked: artifactSequence(name: "linked") { __typename }
        none: artifactSequence(name: "none") { __typename }
        collection: artifactCollection(name: "linked") { name } } } }"""
    found = client.graphql(query)["project"]["artifactType"]
    assert found == {
        "data": {"__typename": "ArtifactSequence"},
        "linked": None,
        "none": None,
        "collection": {"name": "linked"},
    }
