"""The room that the database takes on the disk, and giving back what its deleted rows have left."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import NamedTuple

PAGES = 1024
"""Pages, 4 MiB, that are given back in one transaction: others wait some hundredths of a second."""
_INCREMENTAL = 2
MOST_BYTES = 2**30
"""Of an older sweeper's database that is written anew at its first start, which everybody waits for."""


class Space(NamedTuple):
    """The room that a database takes.

    Attributes:
        size: The bytes of its file, of the log beside it none.
        free: The bytes in it that hold nothing.
        gives_back: Whether it can give these back while it is in use.
    """

    size: int
    free: int
    gives_back: bool


def of(db: sqlite3.Connection) -> Space:
    """Tell the room that a database takes."""
    page, pages, free, kind = (
        _number(db, name) for name in ("page_size", "page_count", "freelist_count", "auto_vacuum")
    )
    return Space(page * pages, page * free, kind == _INCREMENTAL)


def _number(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def rows(db: sqlite3.Connection) -> int:
    """Count what all runs have logged, in lines."""
    number: int = db.execute("SELECT count(*) FROM lines").fetchone()[0]
    return number


def give_back(db: sqlite3.Connection, pages: int = PAGES) -> None:
    """Give some of the free pages back to the disk, inside a transaction; nothing where the database cannot."""
    # a page with every step of the statement, and Python (3.11 to 3.14) takes one step of what gives no columns
    for _ in range(min(pages, _number(db, "freelist_count"))):
        db.execute("PRAGMA incremental_vacuum(1)")


def prepare(db: sqlite3.Connection) -> None:
    """Let a database that an older sweeper has made give room back: it is written anew, outside of any transaction.

    One that is large stays as it is, and so does one for which the disk has no room, or that another process reads.
    """
    if of(db).gives_back or of(db).size > MOST_BYTES:
        return
    with contextlib.suppress(sqlite3.OperationalError):
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("VACUUM")
