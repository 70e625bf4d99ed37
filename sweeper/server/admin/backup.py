"""A server's data in one file, made while it runs, and put back.

The file is a tar, gzipped if its name says so: `backup.json`, the key, folders with contents, and the database last.
The database is copied first, as it is at one moment; a file that is uploaded anew meanwhile is taken as it is when its
turn comes, and its row with it, so the two agree. What is deleted meanwhile is left out of the backup's database too.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import itertools
import json
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sweeper.errors import StoreError
from sweeper.findings import Verdict
from sweeper.server.admin import integrity
from sweeper.server.artifacts import commit
from sweeper.server.artifacts.blobs import ARTIFACTS, BlobStore
from sweeper.server.store import artifact_files, disk, snapshot
from sweeper.server.store.database import Connection, open_reader
from sweeper.server.store.run_files import FileStore
from sweeper.server.store.users import DATABASE, MARK_FILE

MANIFEST = "backup.json"
FORMAT = 1
CONTENTS = "files"
"""The folder of the runs' files. It and that of the artifacts have rows; what lies elsewhere is taken as it is."""
OF_THE_PROCESS = {"server.json", "server.log", "serve.lock", "start.lock", MARK_FILE}
"""What belongs to a running server and not to its data."""

REPLACED = "replaced-"
"""Begins the name of a folder with what was there before a restore."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Backup:
    """What a backup holds.

    Attributes:
        place: The file.
        files: How many files it holds beside the database.
        bytes: The size of the backup.
        missing: Files, and contents of artifacts, that the database knows and that were not, or no longer, there.
    """

    place: Path
    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)


def write(data: Path, place: Path, *, now: float, force: bool = False, progress: Progress | None = None) -> Backup:
    """Write a server's data into one file that only its owner can read; the server may run on.

    Args:
        data: The data directory.
        place: The file. It appears when it is complete.
        now: The time.
        force: Replace a file that is there.
        progress: Is told how many bytes are done, and of how many.

    Raises:
        StoreError: There is nothing to back up, no place for it, or not enough space.
    """
    _check_place(data, place, force=force)
    try:
        with disk.refusing(), tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as folder:
            done = _write(data, place, Path(folder), now, progress)
            (Path(folder) / place.name).replace(place)
            disk.flush(place.parent)
    except (disk.DiskFullError, OSError, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"no backup was written to {place}: {why}", "there must be space for it twice") from error
    return done


def _check_place(data: Path, place: Path, *, force: bool) -> None:
    if not (data / DATABASE).is_file():
        raise StoreError(f"{data} holds no {DATABASE}: there is nothing to back up", "give --data DIR")
    if place.is_dir() or not place.parent.is_dir():
        what = "is a folder" if place.is_dir() else "lies in a folder that is not there"
        raise StoreError(f"{place} {what}", "give the name of a file, such as sweeper-2026-01-31.tar.gz")
    if place.exists() and not force:
        raise StoreError(f"{place} is there already", "give another name, or --force to replace it")


def _write(data: Path, place: Path, folder: Path, now: float, progress: Progress | None) -> Backup:
    copied, written, done = folder / DATABASE, folder / place.name, Backup(place)
    with contextlib.closing(open_reader(data / DATABASE)) as source:
        snapshot.copy(source, copied)
        mode: Any = "w:gz" if place.suffix in {".gz", ".tgz"} else "w"
        with tarfile.open(written, mode) as tar:
            _add_manifest(tar, now)
            with contextlib.closing(_open_copy(copied)) as db:
                sent, total = 0, _bytes_of(db)
                for size in _add_contents(tar, db, source, data, done):
                    sent += size
                    if progress:
                        progress(min(sent, total), total)
                db.commit()
            tar.add(copied, DATABASE)
    written.chmod(0o600)
    disk.flush(written)
    done.bytes = written.stat().st_size
    return done


def _open_copy(copied: Path) -> Connection:
    db = sqlite3.connect(copied)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _bytes_of(db: Connection) -> int:
    query = (
        "SELECT (SELECT coalesce(sum(size), 0) FROM files)"
        " + (SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT md5, size FROM artifact_files WHERE md5 <> ''))"
    )
    return int(db.execute(query).fetchone()[0])


def _add_contents(tar: tarfile.TarFile, db: Connection, live: Connection, data: Path, done: Backup) -> Iterator[int]:
    """Add all but the database; give the size of each file.

    Args:
        tar: The backup.
        db: The copied database, which is made to agree with what is taken.
        live: The server's own.
        data: The data directory.
        done: What is in the backup by now.
    """
    steps = _add_files(tar, db, live, data, done), _add_artifacts(tar, db, live, data, done), _add_rest(tar, data, done)
    return itertools.chain(*steps)


def _add_manifest(tar: tarfile.TarFile, now: float) -> None:
    made_at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    text = json.dumps({"service": "sweeper", "format": FORMAT, "made_at": made_at}).encode()
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mtime, entry.mode = len(text), int(now), 0o600
    tar.addfile(entry, io.BytesIO(text))


def _add_files(tar: tarfile.TarFile, db: Connection, live: Connection, data: Path, done: Backup) -> Iterator[int]:
    """Add the runs' files, and correct the rows of those replaced or deleted since the database was copied."""
    query = (
        "SELECT p.entity, p.name, r.name, f.path, f.run_id, f.size, f.md5 FROM files f JOIN runs r ON r.id = f.run_id"
        " JOIN projects p ON p.id = r.project_id ORDER BY f.run_id, f.path"
    )
    shelf = FileStore(data / CONTENTS)
    for entity, project, run, path, run_id, *noted in db.execute(query).fetchall():
        place = shelf.locate(entity, project, run, path)
        name = f"{CONTENTS}/{place.relative_to(shelf.root.resolve())}"
        found = _add(tar, place, name)
        if found is None:
            done.missing.append(name)
            if not live.execute("SELECT 1 FROM files WHERE run_id = ? AND path = ?", (run_id, path)).fetchone():
                db.execute("DELETE FROM files WHERE run_id = ? AND path = ?", (run_id, path))
            continue
        if [*found] != noted:
            db.execute("UPDATE files SET size = ?, md5 = ? WHERE run_id = ? AND path = ?", (*found, run_id, path))
        done.files += 1
        yield found[0]
    db.execute("DELETE FROM arriving_files")


def _add_artifacts(tar: tarfile.TarFile, db: Connection, live: Connection, data: Path, done: Backup) -> Iterator[int]:
    """Add what artifacts hold, and forget the artifacts that were deleted since the database was copied."""
    shelf, absent = BlobStore(data / ARTIFACTS), set()
    for project_id, md5 in artifact_files.all_contents(db):
        place = shelf.place(project_id, md5)
        found = _add(tar, place, f"{ARTIFACTS}/{place.relative_to(shelf.root)}")
        if found is None:
            absent.add((project_id, md5))
            continue
        done.files += 1
        yield found[0]
    lost = [content for content in artifact_files.committed(db) if (content.project_id, content.md5) in absent]
    done.missing += [content.name for content in lost]
    for artifact_id in {content.artifact_id for content in lost}:
        if not live.execute("SELECT 1 FROM artifacts WHERE id = ?", (artifact_id,)).fetchone():
            commit.forget(db, artifact_id)


def _add_rest(tar: tarfile.TarFile, data: Path, done: Backup) -> Iterator[int]:
    """Add what else lies in the data directory: the key, and folders whose contents never change."""
    for top in sorted(data.iterdir()):
        if top.name.startswith((DATABASE, ".", REPLACED)) or top.name in {CONTENTS, ARTIFACTS, *OF_THE_PROCESS}:
            continue
        for place in [top] if top.is_file() else sorted(top.rglob("*")):
            found = None if place.name.startswith(".") else _add(tar, place, str(place.relative_to(data)))
            if found:
                done.files += 1
                yield found[0]


class _Digested:
    """A file that is digested while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.md5 = file, hashlib.md5(usedforsecurity=False)

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        chunk = self._file.read(size)
        self.md5.update(chunk)
        return chunk


def _add(tar: tarfile.TarFile, place: Path, name: str) -> tuple[int, str] | None:
    """Add one file; give its size and MD5, or None if there is none. An upload replaces files, it never changes one."""
    if not place.is_file():
        return None
    try:
        file = place.open("rb")
    except FileNotFoundError:
        return None
    with file:
        entry = tar.gettarinfo(arcname=name, fileobj=file)
        digested: Any = _Digested(file)
        tar.addfile(entry, digested)
        return entry.size, b64encode(digested.md5.digest()).decode()


def restore(place: Path, data: Path, *, now: float, force: bool = False) -> Path | None:
    """Put a backup's content into a data directory on which no server runs.

    Args:
        place: The backup.
        data: The data directory, which is there.
        now: The time.
        force: Put aside what the directory holds.

    Returns:
        The folder in it with what it held before; None if it held nothing.

    Raises:
        StoreError: It is no whole backup of a version that we know, or the directory holds data.
    """
    held = [entry for entry in data.iterdir() if not entry.name.startswith((".", REPLACED))]
    held = [entry for entry in held if entry.name not in OF_THE_PROCESS]
    if (data / DATABASE).exists() and not force:
        raise StoreError(f"{data} holds a server's data", "give an empty --data DIR, or --force to put it aside first")
    fresh = Path(tempfile.mkdtemp(dir=data, prefix=".restoring-"))
    try:
        with disk.refusing():
            _unpack(place, fresh)
        _check(place, fresh)
        aside = _put_aside(held, data, now) if held else None
        for entry in sorted(fresh.iterdir(), key=lambda entry: entry.name == DATABASE):
            entry.replace(data / entry.name)
        disk.flush(data)
    except disk.DiskFullError as error:
        raise StoreError(f"{place} was not restored: {error.message}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return aside


def _unpack(place: Path, fresh: Path) -> None:
    try:
        with tarfile.open(place) as tar:
            first = tar.next()
            text = tar.extractfile(first) if first and first.name == MANIFEST else None
            if text is None or json.load(text).get("format") != FORMAT:
                raise StoreError(
                    f"{place} is no backup that this sweeper knows", "make one: sweeper server backup FILE"
                )
            members = [member for member in tar if member.name != MANIFEST]
            tar.extractall(fresh, members, filter="data")
    except (tarfile.TarError, EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
        why = str(error).partition(":\n")[0]  # what follows names tarfile's ways of opening a file
        raise StoreError(f"{place} is no whole backup: {why}", "take another one") from error
    except FileNotFoundError as error:
        raise StoreError(f"there is no {place}", "give the file that `sweeper server backup` wrote") from error


def _check(place: Path, fresh: Path) -> None:
    found = [finding for finding in integrity.examine(fresh, deep=True) if finding.verdict is Verdict.FAIL]
    if found:
        raise StoreError(f"{place}: {found[0].check}: {found[0].found}", "take another backup; this one is not whole")


def _put_aside(held: list[Path], data: Path, now: float) -> Path:
    aside = data / f"{REPLACED}{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    for entry in held:
        entry.replace(aside / entry.name)
    return aside
