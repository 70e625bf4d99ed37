"""The mirror of a server's database in its data directory: which files it has, and a database made of them.

`mirror/owner` says which server may write, and which folder of the mirror counts, a *generation*. In that lie the base,
a copy of the database, and the logs: the write-ahead logs that SQLite has written since, one after the other. A base is
called `base-LOG-LENGTH.db`, after the log and how much of it is in it already; a log `log-NUMBER-BEFORE`, after the
length of the log before it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from sweeper import private_files
from sweeper.errors import StoreError
from sweeper.server.store import wal_index

FOLDER = "mirror"
OWNER = "owner"
_BASE = re.compile(r"base-(\d{8})-(\d+)\.db")
_LOG = re.compile(r"log-(\d{8})-(\d+)")
_TRIES = 20
_DAMAGED = "its disk has lost something: look at it, and restore a backup: sweeper server restore BACKUP --force"
_GONE = "mirror.gone-"
"""Begins the name of a mirror that counts no more and is being deleted."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may write a mirror.

    Attributes:
        token: What only this start of a server has.
        generation: The folder that counts; empty where there is none yet.
    """

    token: str
    generation: str


class Base(NamedTuple):
    """A copy of the database.

    Attributes:
        log: The number of the log that was written when it was made.
        length: How much of that log is in it.
        file: The file.
    """

    log: int
    length: int
    file: Path


class Log(NamedTuple):
    """A write-ahead log.

    Attributes:
        number: Its number.
        before: The length of the log before it.
        file: The file.
    """

    number: int
    before: int
    file: Path


def base_name(log: int, length: int) -> str:
    """Name a base."""
    return f"base-{log:08}-{length}.db"


def log_name(number: int, before: int) -> str:
    """Name a log."""
    return f"log-{number:08}-{before}"


def read_owner(data: Path) -> Owner | None:
    """Read whose the mirror of a data directory is; None if it has no mirror.

    Raises:
        StoreError: It says nothing that one can follow.
        OSError: The file system does not say.
    """
    file = data / FOLDER / OWNER
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        owner = Owner(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise StoreError(f"{file} does not say which of its mirrors counts", _DAMAGED) from error
    if not re.fullmatch(r"[0-9a-f]*", f"{owner.token}{owner.generation}"):
        raise StoreError(f"{file} names no mirror of ours", _DAMAGED)
    return owner


def write_owner(data: Path, owner: Owner) -> None:
    """Say whose the mirror of a data directory is; whoever's it was finds out with the next rows it wants to keep."""
    private_files.make_folder(data / FOLDER)
    private_files.flush(data)
    private_files.replace(data / FOLDER / OWNER, json.dumps(asdict(owner)))


def claim(data: Path) -> Owner:
    """Become the owner of a data directory's mirror, as it is."""
    before = read_owner(data)
    owner = Owner(secrets.token_hex(16), before.generation if before else "")
    write_owner(data, owner)
    return owner


def holds(data: Path) -> bool:
    """Whether the database of a data directory lies in its mirror."""
    owner = read_owner(data)
    return owner is not None and owner.generation != ""


def files_of(generation: Path) -> tuple[list[Base], list[Log]]:
    """List the bases and the logs of a generation, in their order."""
    names = [(entry, entry.name) for entry in generation.iterdir()]
    bases = [Base(int(m[1]), int(m[2]), file) for file, name in names if (m := _BASE.fullmatch(name))]
    logs = [Log(int(m[1]), int(m[2]), file) for file, name in names if (m := _LOG.fullmatch(name))]
    return sorted(bases), sorted(logs)


def bring_back(data: Path, place: Path) -> None:
    """Make the database of what its mirror holds.

    Args:
        data: The data directory.
        place: The file, which is not there; nothing is left of it if that fails.

    Raises:
        StoreError: The mirror is not whole, or was taken away meanwhile.
    """
    for tried in range(_TRIES):
        owner = read_owner(data)
        if owner is None or not owner.generation:
            raise StoreError(f"{data / FOLDER} holds no database", "give the data directory of a server")
        try:
            _bring_back(data / FOLDER / owner.generation, place)
        except FileNotFoundError:  # its owner has just put a newer base in the place of what we were to read
            remove_database(place)
            if tried == _TRIES - 1:
                raise
        except BaseException:
            remove_database(place)
            raise
        else:
            return


def _bring_back(generation: Path, place: Path) -> None:
    bases, logs = files_of(generation)
    if not bases:
        raise StoreError(f"{generation} holds no copy of the database", _DAMAGED)
    base = bases[-1]
    _copy(base.file, place)
    number, length = base.log, base.length
    for log in logs:
        if log.number == base.log and log.file.stat().st_size > length:
            length = _replay(log.file, place)
            if length < base.length:
                raise StoreError(f"{log.file} is damaged", _DAMAGED)
        elif log.number > base.log:
            if (log.number, log.before) != (number + 1, length):
                raise StoreError(f"what {log.file} continues is not whole: log {number}, {length} bytes", _DAMAGED)
            number, length = log.number, _replay(log.file, place)


def _copy(source: Path, place: Path) -> None:
    with source.open("rb") as original, private_files.open_file(place, "xb") as copy:
        shutil.copyfileobj(original, copy, 4 * 2**20)


def _replay(log: Path, place: Path) -> int:
    """Put what is committed in a log into a database; give the bytes of the log that were."""
    beside = place.with_name(f"{place.name}-wal")
    _copy(log, beside)
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")  # all of it is flushed in the end, or made anew
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        page = int(db.execute("PRAGMA page_size").fetchone()[0])
        busy, frames, done = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if busy or frames != done:
        raise StoreError(f"{place} is used by another process", "end it, and try again")
    return wal_index.LogEnd(b"", max(0, frames), page).length


def settle(data: Path, database: Path) -> None:
    """Put the database of a data directory back into it, and the mirror away, for a server that makes none.

    Args:
        data: The data directory.
        database: The database's file in it.
    """
    for left in data.glob(f"{_GONE}*"):
        shutil.rmtree(left, ignore_errors=True)
    if read_owner(data) is None:
        return
    owner = claim(data)  # from here on nothing that another server takes is kept
    if owner.generation:
        fresh = database.with_name(f"{database.name}.brought-back")
        remove_database(fresh)
        bring_back(data, fresh)
        private_files.flush(fresh)
        remove_database(database)
        fresh.replace(database)
        private_files.flush(data)
    away = (data / FOLDER).rename(data / f"{_GONE}{secrets.token_hex(4)}")
    private_files.flush(data)
    shutil.rmtree(away, ignore_errors=True)


@contextlib.contextmanager
def readable(data: Path, database: Path, folder: Path) -> Iterator[Path]:
    """Give a database to read: the one in the data directory, or a copy of what the mirror holds now.

    Args:
        data: The data directory.
        database: The database's file in it.
        folder: Where the copy is made, and removed again.
    """
    if not holds(data):
        yield database
        return
    copy = folder / f".{database.name}-{secrets.token_hex(4)}"
    try:
        bring_back(data, copy)
        yield copy
    finally:
        remove_database(copy)


def remove_database(place: Path) -> None:
    """Remove a database that nobody uses, and what SQLite keeps beside it."""
    for suffix in ("-wal", "-shm", "-journal", ""):
        place.with_name(place.name + suffix).unlink(missing_ok=True)


def remove_others(data: Path, generation: str) -> None:
    """Remove all generations of a mirror but one."""
    with os.scandir(data / FOLDER) as entries:
        others = [entry.path for entry in entries if entry.is_dir() and entry.name != generation]
    for path in others:
        shutil.rmtree(path, ignore_errors=True)
