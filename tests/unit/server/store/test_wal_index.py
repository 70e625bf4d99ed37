"""How far a write-ahead log reaches."""

from __future__ import annotations

import contextlib
import os
import sqlite3

from sweeper.server.store import wal_index


def test_the_index_says_what_is_committed(tmp_path):
    """Neither what a transaction under way has written, nor what a log held before it began anew."""
    place, log = tmp_path / "db", tmp_path / "db-wal"
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("CREATE TABLE t (text TEXT)")
        index = os.open(f"{place}-shm", os.O_RDONLY)
        first = wal_index.read(index)
        assert first is not None
        assert first.length == log.stat().st_size
        assert log.read_bytes()[wal_index.SALTS] == first.salts
        db.execute("PRAGMA cache_size = 5")
        db.execute("BEGIN")
        db.executemany("INSERT INTO t VALUES (?)", [("x" * 4000,)] * 100)
        assert log.stat().st_size > first.length
        assert wal_index.read(index) == first
        db.execute("COMMIT")
        second = wal_index.read(index)
        assert second is not None
        assert second.length == log.stat().st_size
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.execute("INSERT INTO t VALUES ('y')")
        third = wal_index.read(index)
        assert third is not None
        assert third.length < log.stat().st_size
        assert third.salts != second.salts
        os.close(index)


def test_an_index_that_nobody_has_filled_says_nothing(tmp_path):
    """The log may not be there yet."""
    for content in (b"", b"x" * 95, bytes(200)):
        (tmp_path / "shm").write_bytes(content)
        with (tmp_path / "shm").open("rb") as file:
            assert wal_index.read(file.fileno()) is None
