"""Files of runs: where they lie, who may write them, and the two HTTP endpoints for them."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
import secrets
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import anyio

from sweeper.server.refusal import NotFoundError, RequestError

MAX_PATH = 1000
_DRIVE = re.compile("[A-Za-z]:")
MAX_PART = 200
"""Bytes in one part of a path: what file systems take, with room for a temporary suffix."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a run; one that is not there has size 0, as the SDK expects."""

    path: str
    size: int = 0
    md5: str = ""
    mimetype: str | None = None
    updated_at: float | None = None


@dataclass(frozen=True, slots=True)
class FileStore:
    """The directory with all runs' files, one folder a run: `entity/project/run/path`.

    Attributes:
        root: The directory.
    """

    root: Path

    def locate(self, entity: str, project: str, run: str, path: str) -> Path:
        """Find the place of a run's file on disk.

        Raises:
            RequestError: The path leaves the run's folder or cannot be a file's.
        """
        for part in (entity, project, run):
            check_path(part)
        home = (self.root / entity / project / run).resolve()
        place = (home / check_path(path)).resolve()
        if not place.is_relative_to(home) or place == home or not home.is_relative_to(self.root.resolve()):
            raise RequestError(f"{path!r} lies outside the run's files")
        return place

    async def save(self, place: Path, chunks: AsyncIterator[bytes]) -> tuple[int, str]:
        """Write an upload beside its place and move it there when it is complete.

        Args:
            place: From `locate`.
            chunks: The content.

        Returns:
            The size in bytes and the MD5, base64.

        Raises:
            RequestError: A file stands where the path has a folder, or the other way round.
        """
        temporary = self.root / f".upload-{secrets.token_hex(8)}"
        size, digest = 0, hashlib.md5(usedforsecurity=False)
        try:
            async with await anyio.open_file(temporary, "wb") as file:
                async for chunk in chunks:
                    await file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
            await anyio.to_thread.run_sync(_move, temporary, place)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise RequestError(f"{place.name!r}: a file and a folder cannot have the same path") from error
        finally:
            await anyio.Path(temporary).unlink(missing_ok=True)
        return size, base64.b64encode(digest.digest()).decode()


def _move(temporary: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(place)


def check_path(path: str) -> str:
    """Give back a relative path with nothing odd in it.

    Raises:
        RequestError: It is absolute, climbs, or has characters that paths here do not have.
    """
    parts = PurePosixPath(path).parts
    odd = any(ord(char) < 32 or char == "\\" or 0xD800 <= ord(char) < 0xE000 for char in path)
    # Windows, where a client may download it, reads `C:x` as another disk's and cuts dots and blanks off (`.. ` climbs)
    climbs = any(part and not part.strip(". ") for part in path.split("/")) or _DRIVE.match(path)
    if odd or not parts or len(path) > MAX_PATH or path.startswith("/") or climbs:
        raise RequestError(f"{path[:MAX_PATH]!r} is not a path for a file of a run: use relative/path/name.ext")
    if any(len(part.encode()) > MAX_PART for part in parts):
        raise RequestError(f"{path!r}: each part of a path has at most {MAX_PART} bytes")
    return path


def record(db: sqlite3.Connection, run_id: int, path: str, size: int, md5: str, *, now: float) -> None:
    """Note an upload."""
    mimetype, _ = mimetypes.guess_type(path)
    db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", (run_id, path, size, md5, mimetype, now))


def of_run(db: sqlite3.Connection, run_id: int) -> list[StoredFile]:
    """List a run's files by path."""
    query = "SELECT path, size, md5, mimetype, updated_at FROM files WHERE run_id = ? ORDER BY path"
    return [StoredFile(*row) for row in db.execute(query, (run_id,))]


def find(db: sqlite3.Connection, run_id: int, path: str) -> StoredFile:
    """Find a file of a run.

    Raises:
        NotFoundError: The run has no such file.
    """
    query = "SELECT path, size, md5, mimetype, updated_at FROM files WHERE run_id = ? AND path = ?"
    row = db.execute(query, (run_id, path)).fetchone()
    if row is None:
        raise NotFoundError(f"the run has no file {path!r}")
    return StoredFile(*row)


def matching(db: sqlite3.Connection, run_id: int, names: Sequence[str], pattern: str | None) -> list[StoredFile]:
    """List a run's files by name (absent ones too, with size 0), by SQL LIKE pattern, or all."""
    if names:
        known = {file.path: file for file in of_run(db, run_id)}
        return [known.get(name, StoredFile(name)) for name in names]
    if pattern is None:
        return of_run(db, run_id)
    query = (
        "SELECT path, size, md5, mimetype, updated_at FROM files WHERE run_id = ? AND path LIKE ? ESCAPE '\\'"
        " ORDER BY path"
    )
    return [StoredFile(*row) for row in db.execute(query, (run_id, pattern))]
