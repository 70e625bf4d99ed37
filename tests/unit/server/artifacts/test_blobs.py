"""Contents on disk: whole and what was announced, or not there."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from sweeper.server.artifacts.blobs import STALE_S, BlobStore, base64_of, hex_of
from sweeper.server.errors import RequestError
from tests.unit.server.artifacts.conftest import digest, md5_of

MD5 = md5_of(b"hello world")


@pytest.fixture
def blobs(tmp_path) -> BlobStore:
    """An empty folder for contents."""
    return BlobStore(tmp_path)


def save(blobs: BlobStore, md5: str, *chunks: bytes, limit: int = 100) -> None:
    """Upload a content in pieces."""

    async def pieces():
        for chunk in chunks:
            yield chunk

    async def run() -> None:
        await blobs.save(1, md5, pieces(), limit=limit)

    anyio.run(run)


def lying(blobs: BlobStore) -> list[str]:
    """All files in the folder."""
    return sorted(str(path.relative_to(blobs.root)) for path in blobs.root.rglob("*") if path.is_file())


def test_an_upload_lies_under_its_md5(blobs):
    """In pieces or whole, it is read as it was sent, in its project alone."""
    save(blobs, MD5, b"hello ", b"world")
    assert lying(blobs) == [f"1/{MD5[:2]}/{MD5}"]
    assert (blobs.read(1, MD5), blobs.size(1, MD5), blobs.size(2, MD5)) == (b"hello world", 11, None)
    assert blobs.write(2, b"hello world") == MD5
    blobs.remove(1, MD5)
    blobs.remove(1, MD5)
    assert lying(blobs) == [f"2/{MD5[:2]}/{MD5}"]


@pytest.mark.parametrize(("chunks", "status"), [((b"hello", b"there"), 400), ((b"hello world", b"x" * 100), 413)])
def test_another_content_than_announced_leaves_nothing(blobs, chunks, status):
    """A changed file and one that never ends are refused, and their pieces are gone."""
    with pytest.raises(RequestError) as caught:
        save(blobs, MD5, *chunks)
    assert caught.value.status == status
    assert lying(blobs) == []


@pytest.mark.parametrize("md5", ["", "..", "x" * 32, MD5.upper(), MD5 + "\n", "../../api-key"])
def test_only_an_md5_has_a_place(blobs, md5):
    """An address cannot name another file."""
    with pytest.raises(RequestError) as caught:
        blobs.place(1, md5)
    assert caught.value.status == 404


def test_a_start_sweeps_out_what_nothing_needs(blobs):
    """Torn uploads at once; old contents unless they are needed; young ones and files of others never."""
    for content in (b"needed", b"old", b"young"):
        blobs.write(1, content)
    (blobs.root / ".upload-torn").touch()
    stranger = blobs.root / "notes" / "ab" / "readme"
    stranger.parent.mkdir(parents=True)
    stranger.touch()
    now = blobs.place(1, md5_of(b"young")).stat().st_mtime + 1
    for path in [*(blobs.place(1, md5_of(content)) for content in (b"needed", b"old")), stranger]:
        os.utime(path, (now - STALE_S - 10, now - STALE_S - 10))
    blobs.clean(lambda project_id, md5: (project_id, md5) == (1, md5_of(b"needed")), now=now)
    left = {Path(path).name for path in lying(blobs)}
    assert left == {md5_of(b"needed"), md5_of(b"young"), "readme"}


def test_the_sdks_digests_are_base64(blobs):
    """They are turned into names of files and back."""
    assert hex_of(digest(b"hello world")) == MD5
    assert base64_of(MD5) == digest(b"hello world")
    assert blobs.size(1, hex_of(digest(b"x"))) is None


@pytest.mark.parametrize("text", ["", "no md5", "AAAA", "ü", digest(b"x")[:-1], digest(b"x") + "AAAA"])
def test_a_digest_that_is_no_md5_is_refused(text):
    """ETags of buckets and other digests are not stored here."""
    with pytest.raises(RequestError, match="MD5 in base64"):
        hex_of(text)


def test_a_content_may_have_just_what_was_announced(blobs):
    """Of one byte more nothing is left."""
    save(blobs, MD5, b"hello world", limit=11)
    assert blobs.size(1, MD5) == 11
    with pytest.raises(RequestError) as caught:
        save(blobs, md5_of(b"hello worlds"), b"hello world", b"s", limit=11)
    assert caught.value.status == 413
    assert lying(blobs) == [f"1/{MD5[:2]}/{MD5}"]
