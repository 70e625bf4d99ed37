"""Copies of the database, made while it is in use: before a migration, and for backups."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from sweeper import private_files
from sweeper.errors import StoreError
from sweeper.server.store import disk

PAGES = 2048
"""Pages copied at a time (8 MiB), so that there is progress to show."""
KEPT = 2
"""Copies of older versions that stay beside the database."""


def before_migration(db: sqlite3.Connection, database: Path, number: int) -> Path:
    """Copy a database beside itself before a migration changes it; the last two such copies are kept.

    Args:
        db: A connection to it.
        database: Its file.
        number: The first migration that it lacks.
    """
    place = database.with_name(f"{database.name}.before-{number:04}")
    # under another name until it is whole: a copy that was cut off must not push out a good one
    temporary = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
    try:
        copy(db, temporary)
        temporary.replace(place)
        private_files.flush(place.parent)
    finally:
        temporary.unlink(missing_ok=True)
    for old in sorted(database.parent.glob(f"{database.name}.before-????"))[:-KEPT]:
        old.unlink()
    return place


def copy(db: sqlite3.Connection, place: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Copy a whole database as it is at this moment into a new file that only its owner can read, and onto the disk.

    Args:
        db: A connection to it, outside any transaction.
        place: The new file.
        progress: Is told how many bytes are done, and of how many.
    """
    # made by us first: SQLite would make it readable by others, and keys' digests and signing secret are in it
    os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    page_size = int(db.execute("PRAGMA page_size").fetchone()[0])

    def tell(_status: int, remaining: int, total: int) -> None:
        if progress:
            progress((total - remaining) * page_size, total * page_size)

    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as target:
        db.execute("BEGIN")  # one state to the end, whatever is written meanwhile: a backup would else begin anew
        try:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # BEGIN takes no state yet, the first read does
            db.backup(target, pages=PAGES, progress=tell)
        finally:
            db.execute("ROLLBACK")
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    private_files.flush(place)


@contextlib.contextmanager
def changing(place: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to a copy, to make it agree with what is kept beside it; the changes are stored at the end.

    Args:
        place: The copy, which nobody else has open.

    Raises:
        StoreError: SQLite cannot read or change it.
        DiskFullError: The disk takes no more.
    """
    try:
        with disk.refusing(), contextlib.closing(sqlite3.connect(place)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")  # what belongs to a row that goes, goes with it
            yield db
            db.commit()
    except sqlite3.Error as error:
        raise StoreError(f"the copy {place} cannot be changed: {error}") from error
