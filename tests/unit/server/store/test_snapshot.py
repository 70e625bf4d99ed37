"""Copies of the database, made while it is in use."""

from __future__ import annotations

import contextlib
import sqlite3
import stat

import pytest

from sweeper.errors import StoreError
from sweeper.run import RunState
from sweeper.server.store import projects, run_files, runs, snapshot
from sweeper.server.store.database import Store, reading


def test_two_copies_of_older_versions_are_kept(tmp_path):
    """The oldest one goes; a new database makes none."""
    Store(tmp_path / "db").close()
    assert list(tmp_path.glob("*.before-*")) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as db:
        for number in (3, 4, 5):
            snapshot.before_migration(db, tmp_path / "db", number)
    assert sorted(entry.name for entry in tmp_path.glob("db.*before*")) == ["db.before-0004", "db.before-0005"]


def test_a_copy_is_of_one_moment(tmp_path):
    """What is written while it is made is not in it, and it is one file without a log."""
    store, place = Store(tmp_path / "db"), tmp_path / "copy"

    def write_on(_done, _total):
        with store.write() as db:
            projects.ensure(db, "local", "late", now=0)

    with store.write() as db:
        projects.ensure(db, "local", "early", now=0)
    with reading(tmp_path / "db") as db:
        snapshot.copy(db, place, write_on)
    with reading(place) as db:
        assert [project.name for project in projects.all_of(db)] == ["early"]
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in tmp_path.glob("copy*")) == ["copy"]
    store.close()


def test_a_copy_replaces_nothing(tmp_path):
    """A file of that name stays as it is."""
    Store(tmp_path / "db").close()
    (tmp_path / "copy").write_text("mine")
    with reading(tmp_path / "db") as db, pytest.raises(FileExistsError):
        snapshot.copy(db, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"


def test_a_copy_is_changed_whole_or_not_at_all(tmp_path):
    """What belongs to a deleted row goes with it; an error in between leaves all as it was."""
    store = Store(tmp_path / "db")
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        run = runs.create(db, place.id, "r", state=RunState.RUNNING, now=0)
        run_files.record(db, run.id, "a", 1, "x", now=0)
    with reading(tmp_path / "db") as db:
        snapshot.copy(db, tmp_path / "copy")
    store.close()

    def delete_all(db):
        db.execute("DELETE FROM projects")

    with contextlib.suppress(RuntimeError), snapshot.changing(tmp_path / "copy") as db:
        delete_all(db)
        raise RuntimeError
    with snapshot.changing(tmp_path / "copy") as db:
        assert len(run_files.of_all_runs(db)) == 1
        delete_all(db)
    with reading(tmp_path / "copy") as db:
        assert run_files.total_bytes(db) == 0
        assert run_files.look_up(db, run.id, "a") is None


def test_a_copy_that_is_no_database_is_an_error_of_ours(tmp_path):
    """Whoever changes a copy need not know what SQLite raises."""
    (tmp_path / "copy").write_bytes(b"hello" * 1000)
    with pytest.raises(StoreError, match="cannot be changed"), snapshot.changing(tmp_path / "copy") as db:
        run_files.total_bytes(db)
