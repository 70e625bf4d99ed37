"""GraphQL's Artifact, as the SDK reads it."""

from __future__ import annotations


def test_a_committed_artifact_is_read_without_a_key(log, client):
    """The addresses of files and manifest need no key, as the SDK sends none, and give what was uploaded."""
    log.log(aliases=[{"artifactCollectionName": "data", "alias": "best"}])
    found = log.found("best")
    assert (found["versionIndex"], found["artifact"]["size"], found["artifact"]["fileCount"]) == (0, 2, 2)
    urls = [edge["node"]["directUrl"] for edge in found["artifact"]["files"]["edges"]]
    manifest = found["artifact"]["currentManifest"]["file"]["directUrl"]
    answers = [client.http.get(url, headers={"Authorization": ""}) for url in [*urls, manifest]]
    assert [answer.content for answer in answers] == [b"A", b"B", log.manifest_text()]
    assert all("sandbox" in answer.headers["Content-Security-Policy"] for answer in answers)
    part = client.http.get(manifest, headers={"Authorization": "", "Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, log.manifest_text()[:4])


ARTIFACT = "query($id: ID!) { artifact(id: $id) { %s } }"


def read(client, artifact, fields):
    return client.graphql(ARTIFACT % fields, id=artifact)["artifact"]


def test_an_artifact_knows_who_made_and_used_it(log, client):
    """The run that logged it first is its creator; every other one that asked for it is a user, once."""
    artifact = log.log(runName="r")
    client.init("user")
    use = "mutation($i: UseArtifactInput!) { useArtifact(input: $i) { artifact { id } } }"
    for _ in range(2):
        client.graphql(use, i={"artifactID": artifact, "projectName": "p", "runName": "user"})
    fields = """createdBy { __typename ... on Run { name project { name } } }
        usedBy { totalCount edges { node { name } } }"""
    found = read(client, artifact, fields)
    assert found["createdBy"] == {"__typename": "Run", "name": "r", "project": {"name": "p"}}
    assert found["usedBy"] == {"totalCount": 1, "edges": [{"node": {"name": "user"}}]}
    for run, role in (("r", "outputArtifacts"), ("user", "inputArtifacts")):
        listed = client.run(run, f"{role} {{ edges {{ node {{ id }} }} }}")[role]["edges"]
        assert listed == [{"node": {"id": artifact}}]


def test_an_artifact_knows_its_collections_and_aliases(log, client):
    """The one it was logged to comes first; each alias, its version among them, says in which collection it holds."""
    artifact = log.log()
    link = "mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }"
    more = {"artifactPortfolioName": "best", "projectName": "p", "aliases": [{"alias": "prod"}]}
    client.graphql(link, i={"artifactID": artifact, **more})
    fields = """artifactMemberships { edges { node { versionIndex artifactCollection { name } aliases { alias } } } }
        aliases { alias artifactCollection { name } } artifactSequence { name project { name } }
        artifactType { name }"""
    found = read(client, artifact, fields)
    members = [edge["node"] for edge in found["artifactMemberships"]["edges"]]
    assert [(member["artifactCollection"]["name"], member["versionIndex"]) for member in members] == [
        ("data", 0),
        ("best", 0),
    ]
    assert members[1]["aliases"] == [{"alias": "latest"}, {"alias": "prod"}]
    assert {(alias["artifactCollection"]["name"], alias["alias"]) for alias in found["aliases"]} == {
        ("data", "latest"),
        ("data", "v0"),  # SDKs before 0.17 take the version from here
        ("best", "latest"),
        ("best", "prod"),
        ("best", "v0"),
    }
    assert found["artifactSequence"] == {"name": "data", "project": {"name": "p"}}
    assert found["artifactType"] == {"name": "dataset"}


def test_an_artifact_without_a_time_to_live_says_that_it_inherits_one(log, client):
    """-1 as the SDK reads it; -2, for ever, is a time of its own."""
    artifact = log.log()
    fields = "ttlDurationSeconds ttlIsInherited"
    update = f"mutation($i: UpdateArtifactInput!) {{ updateArtifact(input: $i) {{ artifact {{ {fields} }} }} }}"
    assert read(client, artifact, fields) == {"ttlDurationSeconds": -1, "ttlIsInherited": True}
    for seconds in (60, -2):
        found = client.graphql(update, i={"artifactID": artifact, "ttlDurationSeconds": seconds})
        assert found["updateArtifact"]["artifact"] == {"ttlDurationSeconds": seconds, "ttlIsInherited": False}
    found = client.graphql(update, i={"artifactID": artifact, "ttlDurationSeconds": -1})
    assert found["updateArtifact"]["artifact"]["ttlIsInherited"]


def test_an_artifact_that_is_being_logged_has_no_version_and_no_manifest(log, client):
    """Both come with its commit."""
    artifact = log.create()["id"]
    found = read(client, artifact, "state versionIndex currentManifest { id } createdBy { __typename }")
    assert found == {"state": "PENDING", "versionIndex": None, "currentManifest": None, "createdBy": None}
