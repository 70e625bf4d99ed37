"""The room that the database takes, and giving it back."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3

import pytest

from sweeper.run import RunState
from sweeper.server.store import deleted_runs, lines, projects, runs, space
from sweeper.server.store.database import Store
from sweeper.server.store.lines import Stream


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "sweeper.db")
    yield made
    made.close()


def fill(store, rows=4000):
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        run = runs.create(db, place.id, "r", state=RunState.FINISHED, now=0)
        lines.put(db, run.id, Stream.CONSOLE, 0, ["x" * 1000] * rows)
    return run


def test_room_of_deleted_rows_goes_back_to_the_disk_a_part_at_a_time(store, tmp_path):
    """What is not given back yet is free for what comes; in the end there is none."""
    run = fill(store)
    with store.write() as db:
        assert space.rows(db) == 4000
        full = space.of(db)
        deleted_runs.remove(db, run.id)
    with store.read() as db:
        before = space.of(db)
        assert space.rows(db) == 0
    assert full.gives_back
    assert before.size == full.size > 4_000_000
    assert before.free > 3_900_000 > full.free
    seen = [before]
    while seen[-1].free:
        with store.write(durable=False) as db:
            space.give_back(db, 400)
            seen.append(space.of(db))
    given = [(one.size - two.size) // 4096 for one, two in itertools.pairwise(seen)]
    # a page of the map of pages goes now and then with the others
    assert all(400 <= pages <= 402 for pages in given[:-1]), given
    assert given[-1] <= 402
    assert seen[-1].size < 500_000
    store.close()
    assert (tmp_path / "sweeper.db").stat().st_size == seen[-1].size


def test_what_was_given_back_stays_given_back_and_everything_else_is_there(store, tmp_path):
    """A server killed meanwhile has lost nothing: what is whole before is whole after."""
    fill(store, 2000)
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        kept = runs.create(db, place.id, "kept", state=RunState.FINISHED, now=0)
        lines.put(db, kept.id, Stream.CONSOLE, 0, [f"line {number}" for number in range(500)])
        deleted_runs.remove(db, runs.find(db, place.id, "r").id)
    with store.write() as db:
        space.give_back(db)
    with contextlib.closing(sqlite3.connect(tmp_path / "sweeper.db")) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert other.execute("SELECT count(*) FROM lines").fetchone() == (500,)


def test_an_older_sweepers_database_learns_to_give_room_back_when_it_is_migrated(tmp_path):
    """It is written anew once, and nothing of it is lost; a large one, or one that is being read, stays as it is."""
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as db:
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (1)")
        assert not space.of(db).gives_back
        with contextlib.closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None, timeout=0)) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM t").fetchall()
            db.execute("PRAGMA busy_timeout = 0")
            space.prepare(db)
            assert not space.of(db).gives_back
        space.prepare(db)
        assert space.of(db).gives_back
        assert db.execute("SELECT x FROM t").fetchall() == [(1,)]
        changes = db.total_changes
        space.prepare(db)
        assert db.total_changes == changes


def test_a_large_database_is_not_written_anew(tmp_path, monkeypatch):
    """Everybody would wait for that start."""
    monkeypatch.setattr(space, "MOST_BYTES", 4096)
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as db:
        db.execute("CREATE TABLE t (x)")
        space.prepare(db)
        assert not space.of(db).gives_back
