"""Manifests: what they may name, how they lie over each other, and the digest of what they name."""

from __future__ import annotations

import json

import pytest

from sweeper.server.artifacts import manifests
from sweeper.server.artifacts.manifests import check_path, digest_of
from sweeper.server.errors import RequestError
from sweeper.server.store.artifact_files import ArtifactFile
from tests.unit.server.artifacts.conftest import digest, md5_of


@pytest.mark.parametrize("path", ["", "/x", "..", "a/../b", "a\0b", "\\x", "a\nb", "x" * 5000])
def test_a_path_stays_in_the_download(path):
    """A path that would leave the folder of a download, or cannot be a file's, is refused."""
    with pytest.raises(RequestError):
        check_path(path)


def test_entries_are_files_or_references():
    """A reference lies elsewhere: its digest is whatever that place has, and it needs nothing on disk."""
    contents = {
        "dir/a": {"digest": digest(b"A"), "size": 1, "birthArtifactID": "x"},
        "far": {"digest": "an-etag", "size": 10, "ref": "s3://bucket/far"},
        "empty": {"digest": digest(b"")},
    }
    assert manifests.entries(contents) == [
        ArtifactFile("dir/a", md5_of(b"A"), 1),
        ArtifactFile("far", "", 10, "s3://bucket/far"),
        ArtifactFile("empty", md5_of(b""), 0),
    ]


@pytest.mark.parametrize(
    "entry", [{}, {"digest": 5}, {"digest": "no md5"}, {"digest": digest(b"A"), "size": -1}, {"digest": "e", "ref": 5}]
)
def test_an_entry_that_is_none_is_refused(entry):
    """Without a digest, or with a size or a reference that is none."""
    with pytest.raises(RequestError):
        manifests.entries({"a": entry})


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"contents": []}', b'{"contents": {"a": 1}}', b"\xff"])
def test_a_text_that_is_no_manifest_is_refused(text):
    """It needs an object of entries."""
    with pytest.raises(RequestError, match="manifest"):
        manifests.parse_manifest(text)


def test_the_digest_is_that_of_the_sdk():
    """As `wandb.sdk.artifacts` (0.31.0) computes it: by path, whatever the order in the manifest."""
    contents = {"b": {"digest": "B=="}, "a": {"digest": "A=="}}
    assert digest_of(contents) == md5_of(b"wandb-artifact-manifest-v1\na:A==\nb:B==\n")


def test_a_later_manifest_lies_over_an_earlier_one():
    """What it names replaces what was named, the rest stays, and the heading is the last one's."""
    first = {"version": 1, "contents": {"a": {"digest": "1"}, "b": {"digest": "2"}}}
    second = {"version": 2, "contents": {"b": {"digest": "3"}, "c": {"digest": "4"}}}
    whole = manifests.merged([first, second])
    assert whole == {"version": 2, "contents": {"a": {"digest": "1"}, "b": {"digest": "3"}, "c": {"digest": "4"}}}
    assert json.loads(manifests.dump_manifest(whole)) == whole
    assert first["contents"]["b"] == {"digest": "2"}


@pytest.mark.parametrize("values", [b"{}," * 2_600_000, b"0," * 8_100_000], ids=["objects", "numbers"])
def test_a_manifest_of_more_than_files_is_not_read(values):
    """Values without end would fill the memory before anybody saw that they name no files."""
    content = b'{"contents": {}, "x": [' + values + b"0]}"
    with pytest.raises(RequestError, match="more than"):
        manifests.parse_manifest(content)
