"""Files and manifests of artifacts as rows: which contents must lie on disk."""

from __future__ import annotations

import pytest

from sweeper.server.errors import NotFoundError
from sweeper.server.store import artifact_collections, artifact_files, artifacts
from sweeper.server.store.artifact_collections import Membership
from sweeper.server.store.artifact_files import ArtifactFile


@pytest.fixture
def artifact(db, make_collection):
    """An artifact that waits for its files."""
    return artifacts.create(db, make_collection("data"), "d", now=0, user_id=1)


def test_files_are_listed_by_page_and_by_name(db, artifact):
    """By path, from behind one on; names that are not there are left out."""
    files = [ArtifactFile(path, f"md5-{path}", 1) for path in "abc"]
    for file in reversed(files):
        artifact_files.announce(db, artifact.id, file)
    assert artifact_files.page(db, artifact.id, after="", limit=2) == files[:2]
    assert artifact_files.page(db, artifact.id, after="b", limit=2) == files[2:]
    assert artifact_files.named(db, artifact.id, ["c", "a", "x", "a"]) == [files[0], files[2]]


def test_the_manifest_replaces_what_was_announced(db, artifact):
    """A file announced and left out of the manifest is none of the artifact's."""
    artifact_files.announce(db, artifact.id, ArtifactFile("a", "1", 0))
    artifact_files.announce(db, artifact.id, ArtifactFile("a", "2", 0))
    assert artifact_files.announced(db, artifact.id) == {"2"}
    whole = [ArtifactFile("b", "3", 5), ArtifactFile("ref", "", 0, "s3://x")]
    artifact_files.replace_all(db, artifact.id, whole)
    assert artifact_files.page(db, artifact.id, after="", limit=9) == whole


def test_a_manifest_counts_once_its_digest_is_known(db, artifact):
    """The SDK announces it before it has written it."""
    empty = artifact_files.add_manifest(db, artifact.id, "FULL", None, "")
    assert artifact_files.manifests_of(db, artifact.id) == []
    known = artifact_files.set_manifest(db, empty.id, "m")
    assert artifact_files.manifests_of(db, artifact.id) == [known]
    with pytest.raises(NotFoundError):
        artifact_files.set_manifest(db, 99, "m")


def test_a_content_is_needed_by_whoever_will_have_it(db, project, artifact):
    """Announced files, manifests to come and those that are keep their contents, in their project."""
    artifact_files.announce(db, artifact.id, ArtifactFile("a", "file", 3))
    artifact_files.announce(db, artifact.id, ArtifactFile("ref", "", 100, "s3://x"))
    artifact_files.add_manifest(db, artifact.id, "PATCH", None, "part")
    artifacts.update(db, artifact.id, now=0, manifest="whole")
    assert artifact_files.contents_of(db, artifact.id) == {"file", "part", "whole"}
    assert artifact_files.all_contents(db) == [(project.id, md5) for md5 in ("file", "part", "whole")]
    assert [artifact_files.needed(db, project.id, md5) for md5 in ("file", "part", "whole", "x")] == [True] * 3 + [
        False
    ]
    assert not artifact_files.needed(db, project.id + 1, "file")
    artifacts.delete(db, artifact.id)
    assert artifact_files.all_contents(db) == []


def test_committed_contents_are_named_for_people(db, project, artifact):
    """By entity, project, name, version and path; the manifest's size is nobody's word."""
    artifact_files.replace_all(
        db, artifact.id, [ArtifactFile("dir/a", "file", 3), ArtifactFile("ref", "", 9, "s3://x")]
    )
    assert artifact_files.committed(db) == []
    artifact_collections.add_membership(db, Membership(artifact.collection_id, 4, artifact.id, 0))
    artifacts.update(db, artifact.id, now=0, state=artifacts.COMMITTED, manifest="whole")
    assert [
        (content.name, content.project_id, content.md5, content.size) for content in artifact_files.committed(db)
    ] == [
        ("local/p/data:v4 (manifest)", project.id, "whole", None),
        ("local/p/data:v4/dir/a", project.id, "file", 3),
    ]


def test_sizes_are_added_up_once_for_each_content(db, artifact):
    """A content that several files share lies on disk once."""
    for path, md5, size in (("a", "x", 3), ("b", "x", 3), ("c", "y", 4), ("ref", "", 50)):
        artifact_files.announce(db, artifact.id, ArtifactFile(path, md5, size))
    assert artifact_files.total_bytes(db) == 7
