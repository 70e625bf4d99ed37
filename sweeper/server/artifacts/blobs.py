"""What files of artifacts hold, on disk: `PROJECT/MD`/MD5`, once per project however many artifacts have it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import anyio

from sweeper import private_files
from sweeper.server.errors import RequestError
from sweeper.server.store import disk

ARTIFACTS = "artifacts"
"""The folder of a data directory where all this lies."""
STALE_S = 7 * 24 * 3600.0
"""Seconds after which an upload nobody committed is given up."""
_MD5 = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class BlobStore:
    """The directory with what all artifacts hold.

    MD5 is what the SDK (0.31.0) announces and what manifests name. Two contents can be made to share one: that is
    why projects share none.

    Attributes:
        root: The directory; uploads under way lie directly in it.
    """

    root: Path

    def place(self, project_id: int, md5: str) -> Path:
        """Find the place of a content on disk.

        Args:
            project_id: Its project.
            md5: Its MD5, hexadecimal.

        Raises:
            RequestError: That is no MD5.
        """
        if not _MD5.match(md5):
            raise RequestError(f"{md5!r} is not an MD5 in hexadecimal", 404)
        return self.root / str(int(project_id)) / md5[:2] / md5

    def size(self, project_id: int, md5: str) -> int | None:
        """Give the size of a content in bytes; None if it is not here."""
        try:
            return self.place(project_id, md5).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, project_id: int, md5: str) -> bytes:
        """Read a content that is here."""
        return self.place(project_id, md5).read_bytes()

    def write(self, project_id: int, content: bytes) -> str:
        """Store a content; give its MD5."""
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        temporary = self._temporary()
        temporary.write_bytes(content)  # manifests of several parts: we merge them, so no client uploads the whole
        _settle(temporary, self.place(project_id, md5))
        return md5

    async def save(self, project_id: int, md5: str, chunks: AsyncIterator[bytes], *, limit: int) -> None:
        """Take an upload: it is seen once it is complete, of the announced MD5 and on the disk, or not at all.

        Raises:
            RequestError: It is longer than `limit` bytes or holds something else than was announced.
        """
        place, temporary = self.place(project_id, md5), self._temporary()
        size, digest = 0, hashlib.md5(usedforsecurity=False)
        try:
            async with await anyio.open_file(temporary, "wb") as file:
                async for chunk in chunks:
                    # counted while it comes: what a client says of the length is not what it sends
                    size += len(chunk)
                    if size > limit:
                        raise RequestError(f"the upload has more than the {limit} bytes it was announced with", 413)
                    await file.write(chunk)
                    digest.update(chunk)
            if digest.hexdigest() != md5:
                raise RequestError("the upload has another MD5 than announced: was the file changed meanwhile?")
            await anyio.to_thread.run_sync(_settle, temporary, place)
        finally:
            await anyio.Path(temporary).unlink(missing_ok=True)

    def settle(self, project_id: int, contents: Iterable[str]) -> None:
        """Wait until the disk has the names of contents that are here: who moved them there may not have, yet or ever.

        Args:
            project_id: Their project.
            contents: Their MD5s, hexadecimal.
        """
        folders = {self.place(project_id, md5).parent for md5 in contents}
        for folder in {*folders, *(inner.parent for inner in folders), self.root}:
            private_files.flush(folder)

    def remove(self, project_id: int, md5: str) -> None:
        """Delete a content that nothing needs any more."""
        self.place(project_id, md5).unlink(missing_ok=True)

    def clean(self, needed: Callable[[int, str], bool], *, now: float) -> None:
        """Delete torn uploads, and old contents that nothing needs; for the start of the server.

        Args:
            needed: Whether a project has an artifact with this MD5, committed or being uploaded.
            now: The time.
        """
        disk.make_folders(self.root, self.root.parent)
        for torn in self.root.glob(".upload-*"):  # no other server runs on this directory: nobody is at it
            torn.unlink()
        for found in self.root.glob("*/*/*"):
            project = found.parent.parent.name
            # what was put here by hand is not ours to delete, and an upload waits for its commit
            if not project.isdecimal() or not _MD5.match(found.name) or found.stat().st_mtime > now - STALE_S:
                continue
            if not needed(int(project), found.name):
                found.unlink()

    def _temporary(self) -> Path:
        return self.root / f".upload-{secrets.token_hex(8)}"


def _settle(temporary: Path, place: Path) -> None:
    """Move a complete file to its place; return when the disk has it, and its name."""
    place.parent.mkdir(parents=True, exist_ok=True)
    private_files.flush(temporary)  # first: a power failure must not leave the name with half a content
    temporary.replace(place)
    for folder in (place.parent, place.parent.parent, place.parent.parent.parent):
        private_files.flush(folder)


def hex_of(digest: str) -> str:
    """Turn an MD5 from the SDK's base64 into hexadecimal.

    Raises:
        RequestError: It is none.
    """
    try:
        content = base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if len(content) != 16:
        raise RequestError(f"{digest!r} is not an MD5 in base64: only files with an MD5 are stored here")
    return content.hex()


def base64_of(md5: str) -> str:
    """Turn an MD5 from hexadecimal into the SDK's base64."""
    return base64.b64encode(bytes.fromhex(md5)).decode()
