"""The tables: migrations as SQL files, each applied once, in order of their numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files


def known_migrations() -> dict[int, tuple[str, str]]:
    """Read the migrations that this version knows: number -> (name, SQL)."""
    folder = files("sweeper.server.store") / "migrations"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return {int(entry.name[:4]): (entry.name, entry.read_text("utf-8")) for entry in found}


def applied_migrations(db: sqlite3.Connection) -> set[int] | None:
    """List the numbers of the migrations that a database has had; None for one that is not sweeper's.

    Asking for the table first tells a stranger's database from one that cannot be read.
    """
    if db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'").fetchone() is None:
        return None
    return {row["number"] for row in db.execute("SELECT number FROM migrations")}


def begin(db: sqlite3.Connection) -> set[int]:
    """Make the table that migrations are noted in, if need be; list the numbers in it."""
    db.execute("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")
    return applied_migrations(db) or set()


def apply(db: sqlite3.Connection, number: int, name: str, sql: str) -> None:
    """Run one migration and note it, inside a transaction: both or neither.

    Another process that opened the database at the same moment may have done so just now.
    """
    if db.execute("SELECT 1 FROM migrations WHERE number = ?", (number,)).fetchone():
        return
    for statement in _statements(sql):
        db.execute(statement)
    db.execute("INSERT INTO migrations VALUES (?, ?)", (number, name))


def _statements(sql: str) -> Iterator[str]:
    """Split a migration; `executescript` would commit the transaction around it."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
