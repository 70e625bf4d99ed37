"""Artifacts at the wire: torn and wrong uploads, requests sent twice, what is kept and what is deleted on disk."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sweeper.server.artifacts.manifests import check_path, digest_of
from sweeper.server.errors import RequestError
from sweeper.server.graphql.artifact_addresses import MAX_WHOLE, limit_of
from sweeper.server.store import users

CREATE = """mutation($i: CreateArtifactInput!) { createArtifact(input: $i) {
    artifact { id state versionIndex artifactSequence { id latestArtifact { id } } } } }"""
FILES = """mutation($i: CreateArtifactFilesInput!) { createArtifactFiles(input: $i) {
    files { edges { node { storagePath uploadUrl uploadHeaders artifact { id } } } } } }"""
MANIFEST = """mutation($id: ID!, $d: String!, $t: ArtifactManifestType!, $b: ID, $u: Boolean!) {
    createArtifactManifest(input: {artifactID: $id, baseArtifactID: $b, digest: $d, type: $t, name: "m"}) {
        artifactManifest { id file { uploadUrl @include(if: $u) } } } }"""
COMMIT = "mutation($id: ID!) { commitArtifact(input: {artifactID: $id}) { artifact { id digest } } }"
DELETE = "mutation($i: DeleteArtifactInput!) { deleteArtifact(input: $i) { artifact { id } } }"
FOUND = """query($n: String!) { project(name: "p") { artifactCollectionMembership(name: $n) { versionIndex
    aliases { alias } artifact { id state size fileCount currentManifest { file { directUrl } }
        files(first: 2) { edges { node { name directUrl md5 } } } } } } }"""


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@dataclass
class Logger:
    """What wandb-core does to log an artifact, a step at a time."""

    client: Any
    name: str = "data"
    contents: dict[str, bytes] = field(default_factory=lambda: {"a": b"A", "b": b"B"})
    extra: dict[str, Any] = field(default_factory=dict)

    def create(self, *, status: int = 200, **fields: Any) -> Any:
        """Begin the artifact; give its id."""
        entries = {path: {"digest": md5_of(content)} for path, content in self.contents.items()}
        sent = {
            "artifactTypeName": "dataset",
            "artifactCollectionName": self.name,
            "projectName": "p",
            "digest": digest_of(entries),
            "digestAlgorithm": "MANIFEST_MD5",
            "enableDigestDeduplication": True,
            **fields,
        }
        found = self.client.graphql(CREATE, i=sent, status=status)
        return found["createArtifact"]["artifact"] if status == 200 else found

    def announce(self, artifact: str, *, status: int = 200, **fields: Any) -> Any:
        """Ask where to upload files to; give the addresses."""
        specs = [
            {"artifactID": artifact, "name": path, "md5": md5_of(content), "artifactManifestID": "x", **fields}
            for path, content in self.contents.items()
        ]
        found = self.client.graphql(FILES, i={"artifactFiles": specs, "storageLayout": "V2"}, status=status)
        if status != 200:
            return found
        return [edge["node"]["uploadUrl"] for edge in found["createArtifactFiles"]["files"]["edges"]]

    def put(self, url: str, content: bytes) -> int:
        """Upload, without a key."""
        return self.client.http.put(url, content=content, headers={"Authorization": ""}).status_code

    def manifest(self, artifact: str, contents: Any = None, kind: str = "FULL") -> str:
        """Write the manifest; give where to."""
        text = self.manifest_text(contents)
        found = self.client.graphql(MANIFEST, id=artifact, d=md5_of(text), t=kind, u=True)
        url = found["createArtifactManifest"]["artifactManifest"]["file"]["uploadUrl"]
        assert self.put(url, text) == 200
        return str(url)

    def manifest_text(self, contents: Any = None) -> bytes:
        """Give what the manifest holds."""
        entries = {path: {"digest": md5_of(text), "size": len(text)} for path, text in self.contents.items()}
        whole = {"version": 1, "storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": {}}
        return json.dumps({**whole, "contents": entries if contents is None else contents}).encode()

    def commit(self, artifact: str, *, status: int = 200) -> Any:
        """Commit."""
        return self.client.graphql(COMMIT, id=artifact, status=status)

    def log(self, **fields: Any) -> str:
        """Do all of it; give the id."""
        artifact = self.create(**fields)
        if artifact["state"] == "PENDING":
            for url, content in zip(self.announce(artifact["id"]), self.contents.values(), strict=True):
                if url:
                    assert self.put(url, content) == 200
            self.manifest(artifact["id"])
            self.commit(artifact["id"])
        return str(artifact["id"])

    def found(self, alias: str = "latest") -> Any:
        """Look the artifact up as wandb.Api() does."""
        return self.client.graphql(FOUND, n=f"{self.name}:{alias}")["project"]["artifactCollectionMembership"]


@pytest.fixture
def log(client):
    """A client that logs an artifact with two files."""
    client.init("r")
    return Logger(client)


def blobs(client) -> set[bytes]:
    """What lies on disk, without manifests."""
    found = {path.read_bytes() for path in Path(client.data_dir / "artifacts").glob("*/*/*")}
    return {content for content in found if not content.startswith(b'{"version"')}


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


def test_an_address_opens_one_content_for_one_purpose(log, client):
    """A signature neither opens another content or project, nor writes where it may read."""
    log.log()
    edges = log.found()["artifact"]["files"]["edges"]
    first, second = (edge["node"]["directUrl"] for edge in edges)
    token = first.partition("?")[2]
    path = second.partition("?")[0]
    for url in (path, f"{path}?{token}", first.replace("/1/", "/2/"), f"{path}?token=%ff"):
        assert client.http.get(url).status_code == 403
    assert client.http.put(first, content=b"A").status_code == 403


def test_an_upload_holds_what_was_announced(log, client):
    """Another content than announced is refused, and nothing of it is left; the right one is then taken."""
    artifact = log.create()["id"]
    url, _ = log.announce(artifact)
    assert log.put(url, b"X") == 400
    assert [*Path(client.data_dir / "artifacts").glob("**/.upload-*"), *blobs(client)] == []
    assert log.put(url, b"A") == 200
    assert blobs(client) == {b"A"}


def test_an_upload_is_no_longer_than_announced(log):
    """A file announced without parts has less than 2 GiB, and its address says so unforgeably."""
    url, _ = log.announce(log.create()["id"])
    assert f"limit={MAX_WHOLE}&" in url
    assert log.put(url.replace(f"limit={MAX_WHOLE}", "limit=9999999999999"), b"A") == 403
    answer = log.client.http.put(url, content=b"A", headers={"Content-Length": str(MAX_WHOLE + 1)})
    assert answer.status_code == 413
    assert limit_of(21) < MAX_WHOLE * 2


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
        log.client.graphql(MANIFEST, id=artifact, d=md5_of(b"x"), t="FULL", u=True)
    assert log.commit(artifact, status=400)
    assert log.found() is None
    assert log.found("v0") is None
    again = log.log()
    assert log.found("v0")["artifact"]["id"] == again


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
    assert blobs(client) == {b"A", b"B", b"new"}
    elsewhere = other.create(projectName="q")["id"]
    assert None not in other.announce(elsewhere)


def test_deletion_leaves_what_others_need(log, client):
    """The contents of a deleted artifact go, but for those of another one, even of one that is only being logged."""
    first = log.log()
    other = Logger(client, "other", {"x": b"A"})
    begun = other.create()["id"]
    other.announce(begun)
    assert "latest" in client.graphql(DELETE, i={"artifactID": first}, status=400)
    client.graphql(DELETE, i={"artifactID": first, "deleteAliases": True})
    assert blobs(client) == {b"A"}
    other.manifest(begun)
    other.commit(begun)
    assert other.found()["artifact"]["id"] == begun
    assert log.found("v0") is None
    assert log.client.graphql(DELETE, i={"artifactID": first}, status=404)


def test_a_version_number_is_never_given_twice(log):
    """After the newest version is deleted the next one has a new number, and `latest` goes to the newest left."""
    log.log()
    log.contents = {"a": b"second"}
    second = log.log()
    log.client.graphql(DELETE, i={"artifactID": second, "deleteAliases": True})
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
        assert blobs(client) == {b"A", b"B", b"lost"}
    (data / "artifacts" / ".upload-torn").touch()
    for client in serve(data):
        assert blobs(client) == {b"A", b"B", b"lost"}
        assert not (data / "artifacts" / ".upload-torn").exists()
        with client.http.app.state.store.write() as db:
            db.execute("UPDATE artifacts SET updated_at = 0")
    old = time.time() - 30 * 24 * 3600
    for path in (data / "artifacts").glob("*/*/*"):
        os.utime(path, (old, old))
    for client in serve(data):
        assert blobs(client) == {b"A", b"B"}
        log = Logger(client)
        assert log.found()["versionIndex"] == 0
        assert log.announce(begun, status=404)


def test_files_are_listed_by_page(log):
    """A page has the length asked for, and the next one begins behind it."""
    log.contents = {f"{number:02}": str(number).encode() for number in range(5)}
    log.log()
    query = """query($after: String) { project(name: "p") { artifactCollectionMembership(name: "data") {
        files(first: 2, after: $after) { pageInfo { hasNextPage endCursor } edges { node { name } } } } } }"""
    names, after, more = [], None, True
    while more:
        page = log.client.graphql(query, after=after)["project"]["artifactCollectionMembership"]["files"]
        names += [edge["node"]["name"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert names == sorted(log.contents)


def test_an_alias_does_not_name_a_version(log):
    """`v3` cannot be given as an alias, nor one with a character that separates names."""
    for alias in ("v3", "a:b", "a/b", "", "x" * 200):
        said = log.create(status=400, aliases=[{"artifactCollectionName": "data", "alias": alias}])
        assert "alias" in said


def test_a_name_keeps_its_type_and_kind(log):
    """A name of one type cannot be logged with another, nor linked to as if it were a portfolio."""
    artifact = log.log()
    assert "dataset" in log.create(status=400, artifactTypeName="model")
    query = """mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }"""
    link = {"artifactID": artifact, "artifactPortfolioName": "data", "projectName": "p"}
    assert "ArtifactSequence" in log.client.graphql(query, i=link, status=400)


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
ADDRESSES = ["../../x", "1/..%2f..%2fapi-key", "x/y?token=1.2", "1/%00?limit=x&token=9", "1/" + "0" * 32]


@pytest.mark.parametrize(("query", "status"), BAD.items())
def test_a_malformed_request_is_the_clients_mistake(client, query, status):
    """Whatever is wrong with a request about artifacts is answered with 400 or 404 and a sentence."""
    assert client.graphql(query, status=status)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_no_artifact_is_refused(client, address):
    """No address leaves the folder of contents, read or written."""
    assert client.http.get(f"/artifact-files/{address}").status_code in {403, 404}
    assert client.http.put(f"/artifact-files/{address}", content=b"x").status_code in {403, 404, 405}


def test_the_address_the_sdk_makes_up_needs_a_key(log, client):
    """Where a signed address has run out the SDK asks by MD5, with its key."""
    log.log()
    md5 = hashlib.md5(b"A", usedforsecurity=False).hexdigest()
    address = f"/artifactsV2/default/local/p/data/x/{md5}/a"
    assert client.http.get(address).content == b"A"
    assert client.http.get(address, headers={"Authorization": ""}).status_code == 401
    for other in (address.replace("/p/", "/q/"), address.replace(md5, "0" * 32), address.replace(md5, "..")):
        assert client.http.get(other).status_code == 404


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


@pytest.mark.parametrize("path", ["", "/x", "..", "a/../b", "a\0b", "\\\\x", "a\nb", "x" * 5000])
def test_a_path_stays_in_the_download(path):
    """A path that would leave the folder of a download, or cannot be a file's, is refused."""
    with pytest.raises(RequestError):
        check_path(path)
