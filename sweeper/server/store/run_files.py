"""Files of runs: where they lie on disk, and what the database knows of them."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
import re
import secrets
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import anyio
import re2

from sweeper import private_files
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.store import disk

TORN = ".upload-"
"""Begins the names of uploads that are not in their place yet."""
MAX_PATH = 1000
_DRIVE = re.compile("[A-Za-z]:")
MAX_PATTERN = 1000
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
class NotedFile:
    """A row of a file, with the names that its place on disk is made of; `md5` is base64."""

    entity: str
    project: str
    run: str
    path: str
    run_id: int
    size: int
    md5: str


@dataclass(frozen=True, slots=True)
class FileStore:
    """The directory with all runs' files, one folder a run: `entity/project/run/path`.

    Attributes:
        root: The directory; uploads under way lie directly in it.
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

    async def take(self, chunks: AsyncIterator[bytes]) -> Arrival:
        """Write an upload beside the runs' folders, and onto the disk.

        Args:
            chunks: The content, in the order it comes.

        Raises:
            DiskFullError: The disk takes no more.
        """
        # in the same file system as its place: only there is a move all or nothing
        temporary = self.root / f"{TORN}{secrets.token_hex(8)}"
        size, digest = 0, hashlib.md5(usedforsecurity=False)
        try:
            with disk.refusing():
                async with await anyio.open_file(temporary, "wb") as file:
                    async for chunk in chunks:
                        await file.write(chunk)
                        digest.update(chunk)
                        size += len(chunk)
                    await file.flush()
                    await anyio.to_thread.run_sync(os.fsync, file.wrapped.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return Arrival(temporary, size, base64.b64encode(digest.digest()).decode())

    def make_room(self, place: Path) -> None:
        """Make the folder for a file.

        Raises:
            RequestError: A file stands where the path has a folder, or the other way round.
            DiskFullError: The disk takes no more.
        """
        try:
            with disk.refusing():
                disk.make_folders(place.parent, self.root)
        except (FileExistsError, NotADirectoryError) as error:
            raise _clash(place) from error
        if place.is_dir():
            raise _clash(place)

    def remove(self, entity: str, project: str, run: str, path: str) -> None:
        """Remove a file from disk, if it is there."""
        place = self.locate(entity, project, run, path)
        if place.is_file():
            place.unlink(missing_ok=True)

    def remove_run(self, entity: str, project: str, run: str) -> None:
        """Remove all files of a run from disk."""
        # a run without files has no folder
        shutil.rmtree(self.locate(entity, project, run, "x").parent, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An upload that is complete, and not yet in its place.

    Attributes:
        temporary: Where it lies until then.
        size: Its bytes.
        md5: Its MD5, base64.
    """

    temporary: Path
    size: int
    md5: str

    def move(self, place: Path) -> None:
        """Put it in its place, and wait until the disk knows."""
        self.temporary.replace(place)
        private_files.flush(place.parent)


def _clash(place: Path) -> RequestError:
    return RequestError(f"{place.name!r}: a file and a folder cannot have the same path")


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
    """Note an upload that is in its place."""
    db.execute("DELETE FROM arriving_files WHERE run_id = ? AND path = ? AND md5 = ?", (run_id, path, md5))
    mimetype, _ = mimetypes.guess_type(path)
    db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", (run_id, path, size, md5, mimetype, now))


def announce(db: sqlite3.Connection, run_id: int, path: str, arrival: Arrival) -> None:
    """Note an upload that is about to be moved to its place: whoever finds it there knows what it is."""
    row = (run_id, path, arrival.size, arrival.md5)
    db.execute("INSERT OR REPLACE INTO arriving_files (run_id, path, size, md5) VALUES (?, ?, ?, ?)", row)


def forget(db: sqlite3.Connection, run_id: int, path: str) -> None:
    """Remove the note of a run's file; its content lies on disk and is the caller's to remove."""
    db.execute("DELETE FROM files WHERE run_id = ? AND path = ?", (run_id, path))


def settle(db: sqlite3.Connection, files: FileStore, *, now: float) -> None:
    """Finish what the last server was at when it died: note the uploads that it moved, forget the others."""
    query = (
        "SELECT a.run_id, a.path, a.size, a.md5, r.name, p.entity, p.name FROM arriving_files a"
        " JOIN runs r ON r.id = a.run_id JOIN projects p ON p.id = r.project_id"
    )
    for run_id, path, size, md5, run, entity, project in db.execute(query).fetchall():
        place = files.locate(entity, project, run, path)
        # the move may not have come: then the place holds the file before, or none
        if place.is_file() and place.stat().st_size == size and md5_of(place) == md5:
            private_files.flush(place.parent)  # it died before it could wait for that
            record(db, run_id, path, size, md5, now=now)
    forget_arrivals(db)
    for torn in files.root.glob(f"{TORN}*"):
        torn.unlink()


def md5_of(place: Path) -> str:
    """Give the MD5 of a file, base64 as W&B shows it."""
    with place.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return base64.b64encode(found.digest()).decode()


def of_run(db: sqlite3.Connection, run_id: int) -> list[StoredFile]:
    """List a run's files by path."""
    query = "SELECT path, size, md5, mimetype, updated_at FROM files WHERE run_id = ? ORDER BY path"
    return [StoredFile(*row) for row in db.execute(query, (run_id,))]


def find(db: sqlite3.Connection, run_id: int, path: str) -> StoredFile:
    """Find a file of a run.

    Raises:
        NotFoundError: The run has no such file.
    """
    found = look_up(db, run_id, path)
    if found is None:
        raise NotFoundError(f"the run has no file {path!r}")
    return found


def look_up(db: sqlite3.Connection, run_id: int, path: str) -> StoredFile | None:
    """Find a file of a run, if the run has it."""
    query = "SELECT path, size, md5, mimetype, updated_at FROM files WHERE run_id = ? AND path = ?"
    row = db.execute(query, (run_id, path)).fetchone()
    return StoredFile(*row) if row else None


def matching(db: sqlite3.Connection, run_id: int, names: Sequence[str], pattern: str | None) -> list[StoredFile]:
    """List a run's files by name (absent ones too, with size 0), by SQL LIKE pattern, or all."""
    if names:
        names = [str(PurePosixPath(name)) for name in names]  # `wandb verify` asks for ./name
        known = {file.path: file for file in of_run(db, run_id)}
        return [known.get(name, StoredFile(name)) for name in names]
    if pattern is None:
        return of_run(db, run_id)
    like = _like(pattern)
    return [file for file in of_run(db, run_id) if like.fullmatch(file.path.encode(errors="replace"))]


def _like(pattern: str) -> Any:
    """Compile a LIKE pattern for RE2: SQLite's own comparison takes for ever with many `%`, and nothing stops it.

    Raises:
        RequestError: It is too long.
    """
    if len(pattern) > MAX_PATTERN:
        raise RequestError(f"a pattern of files has at most {MAX_PATTERN} characters")
    parts = re.findall(r"\\(.)|(%+)|(_)|(.)", pattern, re.DOTALL)
    text = "".join(
        ".*" if many else "." if one else re2.escape(escaped or plain) for escaped, many, one, plain in parts
    )
    options = re2.Options()
    options.case_sensitive, options.dot_nl, options.log_errors = False, True, False
    return re2.compile(text.encode(errors="replace"), options=options)


def of_all_runs(db: sqlite3.Connection) -> list[NotedFile]:
    """List the files of all runs, by run and path."""
    query = (
        "SELECT p.entity, p.name, r.name, f.path, f.run_id, f.size, f.md5 FROM files f JOIN runs r ON r.id = f.run_id"
        " JOIN projects p ON p.id = r.project_id ORDER BY f.run_id, f.path"
    )
    return [NotedFile(*row) for row in db.execute(query)]


def total_bytes(db: sqlite3.Connection) -> int:
    """Add up the sizes of all runs' files."""
    return int(db.execute("SELECT coalesce(sum(size), 0) FROM files").fetchone()[0])


def is_arriving(db: sqlite3.Connection, run_id: int, path: str) -> bool:
    """Tell whether an upload is between its move and its row, so that the two may disagree."""
    query = "SELECT 1 FROM arriving_files WHERE run_id = ? AND path = ?"
    return db.execute(query, (run_id, path)).fetchone() is not None


def correct(db: sqlite3.Connection, run_id: int, path: str, size: int, md5: str) -> None:
    """Make the row of a file say what lies on disk."""
    db.execute("UPDATE files SET size = ?, md5 = ? WHERE run_id = ? AND path = ?", (size, md5, run_id, path))


def forget_arrivals(db: sqlite3.Connection) -> None:
    """Forget which uploads were about to be moved."""
    db.execute("DELETE FROM arriving_files")
