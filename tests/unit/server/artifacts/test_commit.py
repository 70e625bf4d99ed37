"""An artifact's commit, its deletion, and what a start gives up."""

from __future__ import annotations

import pytest

from sweeper.server.artifacts import commit, manifests
from sweeper.server.artifacts.blobs import STALE_S
from sweeper.server.errors import RequestError
from sweeper.server.store import artifact_collections, artifact_files, artifacts
from sweeper.server.store.artifact_files import ArtifactFile
from sweeper.server.store.artifacts import COMMITTED, PENDING
from tests.unit.server.artifacts.conftest import md5_of


def paths_of(log, artifact) -> list[str]:
    """The paths of an artifact's files."""
    with log.store.read() as db:
        return [file.path for file in artifact_files.page(db, artifact.id, after="", limit=100)]


def delete(log, *gone) -> None:
    """Delete artifacts."""
    commit.delete(log.store, log.blobs, lambda db: [artifacts.get(db, artifact.id) for artifact in gone])


def test_a_whole_artifact_becomes_a_version(log):
    """With its size, its count of files, its manifest and the aliases that were asked for."""
    artifact = log.begin(asked_aliases='["best"]')
    for content in (b"A", b"BB"):
        log.blobs.write(1, content)
    manifest = log.manifest(artifact, {"a": b"A", "b": b"BB", "c": b"A"})
    done = log.commit(artifact)
    assert (done.state, done.size, done.file_count, done.manifest, done.updated_at) == (COMMITTED, 4, 3, manifest, 5)
    assert done.digest == "theirs"
    assert log.versions(done.collection_id) == {0: ["best", "latest"]}
    assert log.commit(artifact, now=9) == done


def test_a_torn_artifact_is_no_version(log):
    """Without a manifest, with one announced only, or with a file missing; once all is there it is one."""
    artifact = log.begin()
    with pytest.raises(RequestError, match="before its manifest"):
        log.commit(artifact)
    with log.store.write() as db:
        artifact_files.add_manifest(db, artifact.id, manifests.FULL, None, "0" * 32)
    with pytest.raises(RequestError, match="announced and never uploaded"):
        log.commit(artifact)
    log.manifest(artifact, {"a": b"A"})
    with pytest.raises(RequestError, match="'a' is in the manifest and was never uploaded"):
        log.commit(artifact)
    assert log.versions(artifact.collection_id) == {}
    log.blobs.write(1, b"A")
    assert log.commit(artifact).state == COMMITTED


def test_an_increment_lies_over_its_base(log):
    """What it does not name is the base's, and the digest is that of the whole, not of the part."""
    base = log.all_of_it(a=b"A", b=b"B")
    artifact = log.begin()
    log.blobs.write(1, b"new")
    log.manifest(artifact, {"b": b"new", "c": b"A"}, manifests.INCREMENTAL, base.id)
    done = log.commit(artifact)
    assert paths_of(log, done) == ["a", "b", "c"]
    assert done.digest != "theirs"
    assert done.manifest not in {base.manifest, ""}


@pytest.mark.parametrize("deleted", [True, False])
def test_an_increment_without_a_base_is_whole_by_itself(log, deleted):
    """The first of a collection has none, and a base may be deleted before the commit."""
    base = log.all_of_it(a=b"A")
    artifact = log.begin()
    log.manifest(artifact, {"a": b"A"}, manifests.INCREMENTAL, base.id if deleted else None)
    if deleted:
        delete(log, base)
        log.blobs.write(1, b"A")
    assert paths_of(log, log.commit(artifact)) == ["a"]


def test_several_runs_fill_one_artifact(log):
    """Each one's patch counts; one that was announced and never came is left out."""
    artifact = log.begin(distributed_id="shared")
    for name in ("a", "b"):
        log.blobs.write(1, name.encode())
        log.manifest(artifact, {name: name.encode()}, manifests.PATCH)
    with log.store.write() as db:
        artifact_files.add_manifest(db, artifact.id, manifests.PATCH, None, "0" * 32)
    assert paths_of(log, log.commit(artifact)) == ["a", "b"]


def test_an_announced_content_outlives_its_last_owner(log):
    """The SDK was told that it need not upload it: another artifact's deletion takes nothing from under the commit."""
    owner, artifact = log.all_of_it("owner", x=b"A"), log.begin()
    with log.store.write() as db:
        artifact_files.announce(db, artifact.id, ArtifactFile("a", md5_of(b"A"), 0))
    delete(log, owner)
    assert log.blobs.size(1, md5_of(b"A")) == 1
    log.manifest(artifact, {"a": b"A"})
    assert log.commit(artifact).state == COMMITTED


def test_a_content_that_went_since_it_was_looked_for_is_missed(log):
    """The look comes before the transaction: who kept the content may be deleted between the two."""
    collection, artifact = log.collection(), log.begin()
    contents = commit.Contents([ArtifactFile("a", md5_of(b"gone"), 4)], "0" * 32)
    with log.store.write() as db:
        with pytest.raises(RequestError, match="never uploaded"):
            commit._finish(db, log.blobs, collection, artifact.id, contents, now=5)
        assert artifacts.get(db, artifact.id).state == PENDING


def test_a_deletion_leaves_what_others_need(log):
    """Contents that no other artifact of the project has go from the disk, and the manifest with them."""
    first, other = log.all_of_it(a=b"A", b=b"B"), log.all_of_it("other", x=b"A")
    delete(log, first)
    sizes = [log.blobs.size(1, md5) for md5 in (md5_of(b"A"), md5_of(b"B"), first.manifest, other.manifest)]
    assert [size is not None for size in sizes] == [True, False, False, True]


def test_a_refused_deletion_deletes_nothing(log):
    """Who chooses may refuse, inside the transaction."""
    artifact = log.all_of_it(a=b"A")

    def refuse(_db):
        raise RequestError("it has aliases")

    with pytest.raises(RequestError):
        commit.delete(log.store, log.blobs, refuse)
    assert log.versions(artifact.collection_id) == {0: ["latest"]}
    assert log.blobs.size(1, md5_of(b"A")) == 1


def test_the_newest_version_left_is_the_latest(log):
    """Whoever asks for `latest` after a deletion gets one, as long as there is one."""
    made = [log.all_of_it(a=content) for content in (b"1", b"2", b"3")]
    delete(log, made[2], made[0])
    assert log.versions(made[0].collection_id) == {1: ["latest"]}
    delete(log, made[1])
    assert log.versions(made[0].collection_id) == {}


def test_a_start_gives_up_what_was_begun_long_ago(log):
    """A week later neither the artifact nor its unused collection is there; what was committed is."""
    kept, begun = log.all_of_it(a=b"A"), log.begin("never")
    for now, left in ((STALE_S - 1, PENDING), (STALE_S + 1, None)):
        commit.tidy(log.store, log.blobs, now=now)
        with log.store.read() as db:
            assert artifacts.get(db, kept.id).state == COMMITTED
            assert (artifacts.get(db, begun.id).state if artifacts.exists(db, begun.id) else None) == left
            assert (artifact_collections.find(db, 1, "never") is None) is (left is None)
