"""Mutations of collections: aliases, links, names, tags."""

from __future__ import annotations

from tests.unit.server.artifact_logger import Logger


def test_a_name_keeps_its_type_and_kind(log):
    """A name of one type cannot be logged with another, nor linked to as if it were a portfolio."""
    artifact = log.log()
    assert "dataset" in log.create(status=400, artifactTypeName="model")
    query = """mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }"""
    link = {"artifactID": artifact, "artifactPortfolioName": "data", "projectName": "p"}
    assert "ArtifactSequence" in log.client.graphql(query, i=link, status=400)


ADD = "mutation($i: AddAliasesInput!) { addAliases(input: $i) { success } }"
TAKE = "mutation($i: DeleteAliasesInput!) { deleteAliases(input: $i) { success } }"
LINK = """mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) {
    versionIndex artifactMembership { versionIndex artifactCollection { id name } artifact { id } } } }"""
UNLINK = "mutation($i: UnlinkArtifactInput!) { unlinkArtifact(input: $i) { artifactID success } }"


def aliases(client, artifact):
    """The aliases of an artifact that was given some; what its version is called is none that is given."""
    query = "query($id: ID!) { artifact(id: $id) { aliases { alias } } }"
    found = [alias["alias"] for alias in client.graphql(query, id=artifact)["artifact"]["aliases"]]
    return [alias for alias in found if alias != "v0"]


def collection_id(client, name="data"):
    query = 'query($n: String!) { project(name: "p") { artifactCollection(name: $n) { id } } }'
    return client.graphql(query, n=name)["project"]["artifactCollection"]["id"]


def test_an_alias_is_given_and_taken(log, client):
    """In a collection that the artifact is in; elsewhere it is not found."""
    artifact = log.log()
    placed = [{"alias": "best", "artifactCollectionName": "data", "projectName": "p"}]
    client.graphql(ADD, i={"artifactID": artifact, "aliases": placed})
    assert aliases(client, artifact) == ["best", "latest"]
    client.graphql(TAKE, i={"artifactID": artifact, "aliases": placed})
    assert aliases(client, artifact) == ["latest"]
    Logger(client, "other", {"x": b"x"}).log()
    for name, said in (("other", "not in the collection"), ("nope", "no artifact collection")):
        placed = [{"alias": "best", "artifactCollectionName": name, "projectName": "p"}]
        assert said in client.graphql(ADD, status=404, i={"artifactID": artifact, "aliases": placed})


def test_a_link_makes_a_version_of_a_portfolio(log, client):
    """Linked again it stays the version it is; taken out it is none, and its own collection keeps it."""
    artifact = log.log()
    link = {"artifactID": artifact, "artifactPortfolioName": "best", "projectName": "p"}
    for _ in range(2):
        found = client.graphql(LINK, i=link)["linkArtifact"]
        assert (found["versionIndex"], found["artifactMembership"]["artifact"]) == (0, {"id": artifact})
    portfolio = found["artifactMembership"]["artifactCollection"]
    assert portfolio["name"] == "best"
    client.graphql(UNLINK, i={"artifactID": artifact, "artifactPortfolioID": portfolio["id"]})
    assert aliases(client, artifact) == ["latest"]
    own = {"artifactID": artifact, "artifactPortfolioID": collection_id(client)}
    assert "delete it" in client.graphql(UNLINK, status=400, i=own)


def test_what_cannot_be_linked_is_refused(log, client):
    """An artifact that is not committed, and a registry, which this server has none of."""
    link = {"artifactID": log.create()["id"], "artifactPortfolioName": "best", "projectName": "p"}
    assert "committed" in client.graphql(LINK, status=400, i=link)
    link = {"artifactID": log.log(), "artifactPortfolioName": "best", "projectName": "wandb-registry-model"}
    assert "registries" in client.graphql(LINK, status=400, i=link)


def test_a_collection_is_renamed_moved_and_tagged(log, client):
    """What is not sent stays; a name that cannot be one is refused."""
    log.log()
    id_ = collection_id(client)
    update = """mutation($i: UpdateArtifactSequenceInput!) { updateArtifactSequence(input: $i) {
        artifactCollection { name description } } }"""
    found = client.graphql(update, i={"artifactSequenceID": id_, "description": "d"})["updateArtifactSequence"]
    assert found["artifactCollection"] == {"name": "data", "description": "d"}
    found = client.graphql(update, i={"artifactSequenceID": id_, "name": "new"})["updateArtifactSequence"]
    assert found["artifactCollection"] == {"name": "new", "description": "d"}
    client.graphql(update, status=400, i={"artifactSequenceID": id_, "name": "a/b"})
    move = """mutation($i: MoveArtifactSequenceInput!) { moveArtifactSequence(input: $i) {
        artifactCollection { type { name } } } }"""
    found = client.graphql(move, i={"artifactSequenceID": id_, "destinationArtifactTypeName": "model"})
    assert found["moveArtifactSequence"]["artifactCollection"]["type"] == {"name": "model"}
    tag = """mutation($i: CreateArtifactCollectionTagAssignmentsInput!) {
        createArtifactCollectionTagAssignments(input: $i) { tags { name } } }"""
    untag = """mutation($i: DeleteArtifactCollectionTagAssignmentsInput!) {
        deleteArtifactCollectionTagAssignments(input: $i) { success } }"""
    named = {"artifactCollectionName": "new", "projectName": "p"}
    found = client.graphql(tag, i={**named, "tags": [{"tagName": "x"}, {"tagName": "y"}]})
    assert [one["name"] for one in found["createArtifactCollectionTagAssignments"]["tags"]] == ["x", "y"]
    client.graphql(untag, i={**named, "tags": [{"tagName": "x"}]})
    query = '{ project(name: "p") { artifactCollection(name: "new") { tags { edges { node { name } } } } } }'
    assert client.graphql(query)["project"]["artifactCollection"]["tags"]["edges"] == [{"node": {"name": "y"}}]


def test_a_deleted_collection_takes_its_artifacts_along(log, client):
    """The answer says what it was; afterwards neither name nor contents are there."""
    log.log()
    id_ = collection_id(client)
    delete = """mutation($id: ID!) { deleteArtifactSequence(input: {artifactSequenceID: $id}) {
        artifactCollection { __typename id name state } } }"""
    assert client.graphql(delete, id=id_)["deleteArtifactSequence"]["artifactCollection"] == {
        "__typename": "ArtifactSequence",
        "id": id_,
        "name": "data",
        "state": "DELETED",
    }
    assert log.on_disk() == set()
    again = client.graphql(delete, id=id_)["deleteArtifactSequence"]["artifactCollection"]
    assert (again["id"], again["state"]) == (id_, "DELETED")  # it is gone all the same


def test_what_is_linked_expires_no_more(log, client):
    """Its time to live ends with the link, and it gets another one only once it is unlinked."""
    artifact = log.log(ttlDurationSeconds=60)
    link = {"artifactID": artifact, "artifactPortfolioName": "best", "projectName": "p"}
    portfolio = client.graphql(LINK, i=link)["linkArtifact"]["artifactMembership"]["artifactCollection"]
    live = """mutation($i: UpdateArtifactInput!) { updateArtifact(input: $i) { artifact { ttlDurationSeconds } } }"""
    read = "query($id: ID!) { artifact(id: $id) { ttlDurationSeconds } }"
    assert client.graphql(read, id=artifact)["artifact"] == {"ttlDurationSeconds": -2}
    again = {"artifactID": artifact, "ttlDurationSeconds": 90}
    assert "unlink it first" in client.graphql(live, i=again, status=400)
    client.graphql(UNLINK, i={"artifactID": artifact, "artifactPortfolioID": portfolio["id"]})
    assert client.graphql(live, i=again)["updateArtifact"]["artifact"] == {"ttlDurationSeconds": 90}
