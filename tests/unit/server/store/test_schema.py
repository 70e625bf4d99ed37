"""Migrations: whatever version made a database, this one goes on with it, and changes it whole or not at all."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from importlib.resources import files

import pytest

from sweeper.server.store import consistency, lines, runs, schema
from sweeper.server.store.database import Store, reading
from sweeper.server.store.schema import applied_migrations, known_migrations


def old_database(path, last):
    """A database as the version with that many migrations left it, with a sweep and a run in it."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")
        for number, (name, sql) in sorted(known_migrations().items()):
            if number <= last:
                db.executescript(sql)
                db.execute("INSERT INTO migrations VALUES (?, ?)", (number, name))
        db.executescript(
            """
            INSERT INTO projects (id, entity, name, created_at) VALUES (1, 'local', 'p', 0);
            INSERT INTO users VALUES (1, 'local', 0);
            INSERT INTO sweeps (id, project_id, name, definition, state, seed, created_at, updated_at) VALUES
                (7, 1, 'abcdefgh', 'method: grid\nparameters: {lr: {values: [1, 2]}}', 'RUNNING', 0, 0, 0);
            INSERT INTO runs (id, project_id, name, display_name, state, sweep_id, params, created_at, heartbeat_at)
                VALUES (3, 1, 'r', 'run-1', 'running', 7, '{"lr": 1}', 0, 0);
            INSERT INTO lines VALUES (3, 'history', 0, 0, '{"loss": 1}');
            """
        )


@pytest.mark.parametrize("last", sorted(known_migrations())[:-1])
def test_an_older_database_is_copied_and_migrated(tmp_path, serve, last):
    """The server of this version goes on with it; the copy beside it is the old one, and its owner's alone."""
    data = tmp_path / "data"
    data.mkdir()
    old_database(data / "sweeper.db", last)
    with contextlib.contextmanager(serve)(data) as client:
        assert client.run("r", "state historyLineCount") == {"state": "running", "historyLineCount": 1}
        assert client.beat(client.agent("abcdefgh"))[0]["args"] == {"lr": {"value": 2}}
    with reading(data / "sweeper.db") as db:
        assert applied_migrations(db) == known_migrations().keys()
        assert consistency.loose_references(db) == []
    (copy,) = data.glob("sweeper.db.before-*")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT max(number) FROM migrations").fetchone() == (last,)
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_metric_of_an_older_database_is_kept(tmp_path):
    """A database of the first version keeps what its sweeps' runs logged, by sweep, numbered and with extremes."""
    _, first = known_migrations()[1]
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as db:
        db.executescript(first)
        db.executescript(
            """
            CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
            INSERT INTO migrations VALUES (1, '0001_initial.sql');
            INSERT INTO projects VALUES (1, 'e', 'p', 0);
            INSERT INTO sweeps (id, project_id, name, definition, state, seed, created_at, updated_at)
                VALUES (7, 1, 's', '', 'RUNNING', 0, 0, 0);
            INSERT INTO runs (id, project_id, name, display_name, state, sweep_id, created_at, heartbeat_at)
                VALUES (3, 1, 'r', 'run-1', 'running', 7, 0, 0), (4, 1, 'loose', 'run-1', 'running', NULL, 0, 0);
            INSERT INTO metric_values VALUES (3, 0, 0.5), (3, 2, 0.25), (3, 3, 4.0), (4, 0, 9.0);
            """
        )
    store = Store(tmp_path / "db")
    with store.read() as db:
        assert lines.metric_histories(db, 7) == {3: (0.5, 0.25, 4.0)}
        found = db.execute("SELECT line, iteration, lowest, highest FROM metric_values ORDER BY line")
        assert [tuple(row) for row in found] == [(0, 1, 0.5, 0.5), (2, 2, 0.25, 0.5), (3, 3, 0.25, 4.0)]
        assert {run.stop for run in runs.of_sweep(db, 7)} == {""}
    store.close()


def test_migration_and_its_record_are_one(tmp_path):
    """A database whose migration broke off has neither its tables nor its record."""
    store = Store(tmp_path / "db")
    with pytest.raises(sqlite3.OperationalError), store.write() as db:
        schema.apply(db, 9999, "9999_broken.sql", "CREATE TABLE half (x);\nCREATE TABLE half (x);")
    with store.read() as db:
        assert 9999 not in [row[0] for row in db.execute("SELECT number FROM migrations")]
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone()[0] == 0
    store.close()


def test_a_strangers_database_is_told_from_an_empty_one_of_ours(tmp_path):
    """One without the table of migrations has had none that we know of."""
    with contextlib.closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        db.execute("CREATE TABLE theirs (x)")
        assert applied_migrations(db) is None
        assert schema.begin(db) == set()
        assert applied_migrations(db) == set()


def test_a_migration_is_applied_once(tmp_path):
    """Two servers that open an old database at the same moment do not apply it twice."""
    store = Store(tmp_path / "db")
    for _ in range(2):
        with store.write() as db:
            schema.apply(
                db, 9999, "9999_new.sql", "CREATE TABLE new (x);\n-- a comment; with a semicolon\nDROP TABLE new;"
            )
    store.close()


def test_migrations_are_numbered_without_a_gap():
    """Two of one number would hide each other."""
    names = [name for name, _ in known_migrations().values()]
    assert sorted(known_migrations()) == list(range(1, len(names) + 1))
    folder = files("sweeper.server.store") / "migrations"
    assert sorted(names) == sorted(entry.name for entry in folder.iterdir())
