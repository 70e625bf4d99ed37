"""Copies of the database, made while it is in use."""

from __future__ import annotations

import contextlib
import sqlite3

from sweeper.server.store import snapshot
from sweeper.server.store.database import Store


def test_two_copies_of_older_versions_are_kept(tmp_path):
    """The oldest one goes; a new database makes none."""
    Store(tmp_path / "db").close()
    assert list(tmp_path.glob("*.before-*")) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as db:
        for number in (3, 4, 5):
            snapshot.before_migration(db, tmp_path / "db", number)
    assert sorted(entry.name for entry in tmp_path.glob("db.*before*")) == ["db.before-0004", "db.before-0005"]
