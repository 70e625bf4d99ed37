"""Mutations of artifacts: torn ones, requests sent twice, what is kept and what is deleted on disk."""

from __future__ import annotations

import base64
import os
import time

import pytest

from sweeper.server.store import users
from tests.unit.server.artifact_logger import DELETE, Logger, md5_of


@pytest.mark.parametrize("step", ["nothing", "files", "manifest", "announced"])
def test_a_torn_artifact_is_not_seen(log, step):
    """An artifact of which something is missing is no version, cannot be committed, and can still be completed."""
    artifact = log.create()["id"]
    if step == "files":
        for url, content in zip(log.announce(artifact), log.contents.values(), strict=True):
            assert log.put(url, content) == 200
    elif step == "manifest":
        log.manifest(artifact)
    elif step == "announced":
        log.announce_manifest(artifact, b"x")
    assert log.commit(artifact, status=400)
    assert log.found() is None
    assert log.found("v0") is None
    again = log.log()
    assert log.found("v0")["artifact"]["id"] == again


def test_a_request_sent_twice_makes_one_artifact(log):
    """After a lost answer the SDK asks again: same client id, same artifact; a second commit changes nothing."""
    first = log.create(clientID="c1")
    assert log.create(clientID="c1")["id"] == first["id"]
    artifact = log.log(clientID="c1")
    assert artifact == first["id"]
    log.commit(artifact)
    assert log.create(clientID="c1")["state"] == "COMMITTED"
    mapping = log.client.graphql('{ clientIDMapping(clientID: "c1") { serverID } }')["clientIDMapping"]
    assert mapping == {"serverID": artifact}
    assert log.client.graphql('{ clientIDMapping(clientID: "c2") { serverID } }')["clientIDMapping"] is None
    assert log.found()["versionIndex"] == 0


def test_the_same_content_lies_on_disk_once(log, client):
    """A content the project has is not asked for again; another project's is."""
    log.log()
    other = Logger(client, "other", {"x": b"A", "y": b"new"})
    assert [url is None for url in other.announce(other.create()["id"])] == [True, False]
    other.log()
    assert log.on_disk() == {b"A", b"B", b"new"}
    elsewhere = other.create(projectName="q")["id"]
    assert None not in other.announce(elsewhere)


def test_an_announced_file_has_both_its_names(log, client):
    """SDKs up to 0.17 wait for ever for an address that they do not find by `displayName`."""
    spec = {"artifactID": log.create()["id"], "name": "sub/a.txt", "md5": "f8VicOenD6gaWTW3Lqy+KQ=="}
    query = """mutation($layout: ArtifactStorageLayout!, $files: [CreateArtifactFileSpecInput!]!) {
        createArtifactFiles(input: {artifactFiles: $files, storageLayout: $layout}) {
        files { edges { node { name displayName } } } } }"""
    found = client.graphql(query, layout="V2", files=[spec])["createArtifactFiles"]["files"]["edges"]
    assert found == [{"node": {"name": "sub/a.txt", "displayName": "sub/a.txt"}}]


def test_deletion_leaves_what_others_need(log, client):
    """The contents of a deleted artifact go, but for those of another one, even of one that is only being logged."""
    first = log.log()
    other = Logger(client, "other", {"x": b"A"})
    begun = other.create()["id"]
    other.announce(begun)
    assert "latest" in log.delete(first, status=400)
    client.graphql(DELETE, i={"artifactID": first, "deleteAliases": True})
    assert log.on_disk() == {b"A"}
    other.manifest(begun)
    other.commit(begun)
    assert other.found()["artifact"]["id"] == begun
    assert log.found("v0") is None
    again = client.graphql(DELETE, i={"artifactID": first, "deleteAliases": True})  # it is gone all the same
    assert again["deleteArtifact"]["artifact"]["id"] == first
    assert "not, or no longer" in log.delete("QXJ0aWZhY3Q6djE6OTk5", status=404)  # Artifact:v1:999


BEGIN = 'mutation {{ createArtifact(input: {{digest: "d", {}}}) {{ artifact {{ id }} }} }}'
NAMED = 'artifactTypeName: "t", artifactCollectionName: "x", {}'
BAD = {
    '{ artifact(id: "x") { id } }': 404,
    '{ artifact(id: "QXJ0aWZhY3Q6djE6OTk5") { id } }': 404,  # Artifact:v1:999
    '{ artifact(id: "QXJ0aWZhY3Q6djE64pGg") { id } }': 404,  # a digit that is none of ours
    "{ artifactCollection { id } }": 404,
    "mutation { commitArtifact(input: {}) { artifact { id } } }": 400,
    "mutation { commitArtifact(input: 5) { artifact { id } } }": 400,
    BEGIN.format('artifactTypeName: "t"'): 400,
    BEGIN.format('artifactTypeName: "a/b", artifactCollectionName: "x"'): 400,
    BEGIN.format(NAMED.format('metadata: "["')): 400,
    BEGIN.format(NAMED.format("historyStep: 99999999999999999999")): 400,
    BEGIN.format(NAMED.format('digestAlgorithm: "MANIFEST_XXH128"')): 400,
    BEGIN.format(NAMED.format("aliases: [{}]")): 400,
    'mutation { updateArtifactManifest(input: {artifactManifestID: "x"}) { artifactManifest { id } } }': 404,
    'mutation { deleteArtifactSequence(input: {artifactSequenceID: "x"}) { artifactCollection { id } } }': 404,
    'mutation { addAliases(input: {artifactID: "x", aliases: [{}]}) { success } }': 400,
    'mutation { unlinkArtifact(input: {artifactID: "x"}) { success } }': 404,
    'mutation { linkArtifact(input: {artifactPortfolioName: "x"}) { versionIndex } }': 404,
}


@pytest.mark.parametrize(("query", "status"), BAD.items())
def test_a_malformed_request_is_the_clients_mistake(client, query, status):
    """Whatever is wrong with a request about artifacts is answered with 400 or 404 and a sentence."""
    assert client.graphql(query, status=status)


def test_users_log_under_their_own_names(log, client):
    """An artifact without an entity is its logger's own, and another user finds it under that name, as with runs."""
    log.log()
    key = users.add_user(client.data_dir, "ann")
    client.http.headers["Authorization"] = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
    assert client.graphql('{ project(name: "p") { artifactTypes { edges { node { name } } } } }')["project"] is None
    log.log()
    query = """{ mine: project(name: "p") { artifactCollection(name: "data") { id } }
        theirs: project(name: "p", entityName: "local") { artifactCollection(name: "data") { id } } }"""
    found = client.graphql(query)
    assert found["mine"]["artifactCollection"]["id"] != found["theirs"]["artifactCollection"]["id"]


@pytest.mark.parametrize(
    "contents",
    [
        {"../a": {"digest": md5_of(b"A"), "size": 1}},
        {"/a": {"digest": md5_of(b"A"), "size": 1}},
        {"a": {"digest": "no md5", "size": 1}},
        {"a": {"digest": md5_of(b"A"), "size": -1}},
        {"a": {"digest": md5_of(b"A"), "size": 2**80}},
        {"a": {"digest": md5_of(b"A"), "size": "1"}},
        {"a": {"digest": md5_of(b"A"), "ref": 5}},
        {"a": {"size": 1}},
        {"a": 1},
        [],
        7,
    ],
)
def test_a_manifest_that_is_none_is_refused(log, contents):
    """A manifest with a path that climbs, or with anything that is no entry, commits nothing."""
    artifact = log.create()["id"]
    for url, content in zip(log.announce(artifact), log.contents.values(), strict=True):
        log.put(url, content)
    log.manifest(artifact, contents)
    assert log.commit(artifact, status=400)
    assert log.found() is None


def test_a_version_number_is_never_given_twice(log):
    """After the newest version is deleted the next one has a new number, and `latest` goes to the newest left."""
    log.log()
    log.contents = {"a": b"second"}
    second = log.log()
    log.delete(second, deleteAliases=True)
    assert log.found()["versionIndex"] == 0
    log.contents = {"a": b"third"}
    log.log()
    assert log.found()["versionIndex"] == 2


def test_what_was_never_committed_goes_with_a_start(tmp_path, serve):
    """A start deletes torn uploads, and what was begun a week ago and never committed; a committed artifact stays."""
    data = tmp_path / "data"
    for client in serve(data):
        client.init("r")
        kept, lost = Logger(client), Logger(client, "lost", {"x": b"lost"})
        kept.log()
        begun = lost.create()["id"]
        lost.put(lost.announce(begun)[0], b"lost")
        assert kept.on_disk() == {b"A", b"B", b"lost"}
    (data / "artifacts" / ".upload-torn").touch()
    for client in serve(data):
        assert Logger(client).on_disk() == {b"A", b"B", b"lost"}
        assert not (data / "artifacts" / ".upload-torn").exists()
        with client.http.app.state.store.write() as db:
            db.execute("UPDATE artifacts SET updated_at = 0")
    old = time.time() - 30 * 24 * 3600
    for path in (data / "artifacts").glob("*/*/*"):
        os.utime(path, (old, old))
    for client in serve(data):
        log = Logger(client)
        assert log.on_disk() == {b"A", b"B"}
        assert log.found()["versionIndex"] == 0
        assert log.announce(begun, status=404)


def test_an_alias_does_not_name_a_version(log):
    """`v3` cannot be given as an alias, nor one with a character that separates names."""
    for alias in ("v3", "a:b", "a/b", "", "x" * 200):
        said = log.create(status=400, aliases=[{"artifactCollectionName": "data", "alias": alias}])
        assert "alias" in said


def test_a_time_to_live_is_refused_where_nothing_expires(log):
    """What the SDK makes by itself is kept; a time that is none is not read."""
    assert "no time to live" in log.create(status=400, artifactTypeName="job", ttlDurationSeconds=60)
    for odd in (-3, 2**62, "long"):
        assert "ttlDurationSeconds" in log.create(status=400, ttlDurationSeconds=odd)


def test_content_logged_again_lives_longer(log, client):
    """There is one artifact of it, which goes when the last of those who logged it would let it go."""
    read = "query($id: ID!) { artifact(id: $id) { ttlDurationSeconds } }"
    artifact = log.log(ttlDurationSeconds=60)
    for ttl, kept in ((30, 60), (90, 90), (None, -1), (90, -1)):
        assert log.log(ttlDurationSeconds=ttl) == artifact
        assert client.graphql(read, id=artifact)["artifact"] == {"ttlDurationSeconds": kept}
