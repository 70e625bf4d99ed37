"""The database: transactions, migrations, who may read the key."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import threading
from importlib.resources import files

import pytest

from sweeper.errors import ServerError, StoreError
from sweeper.server.store import lines, runs, users
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.disk import DiskFullError


def test_transaction_is_all_or_nothing():
    """What was written before an error in a transaction is not there afterwards."""
    store = Store(MEMORY)
    with contextlib.suppress(RuntimeError), store.write() as db:
        db.execute("INSERT INTO projects (entity, name, created_at) VALUES ('e', 'p', 1)")
        raise RuntimeError
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM projects").fetchone()[0] == 0
    store.close()


def test_readers_do_not_wait_for_the_writer(tmp_path):
    """A read during a transaction sees the state before it, at once."""
    store = Store(tmp_path / "db")
    seen = []
    with store.write() as db:
        db.execute("INSERT INTO projects (entity, name, created_at) VALUES ('e', 'p', 1)")

        def read():
            with store.read() as other:
                seen.append(other.execute("SELECT count(*) FROM projects").fetchone()[0])

        thread = threading.Thread(target=read)
        thread.start()
        thread.join(timeout=10)
    assert seen == [0]
    store.close()


def test_every_commit_reaches_the_disk(tmp_path):
    """Connections run in WAL mode with foreign keys on; each commit is followed by a sync of the log."""
    store = Store(tmp_path / "db")
    with store.write() as db:
        pragmas = [
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 1, 1]
    assert store._log is not None
    assert store._log._done == 1
    with store.write(durable=False):
        pass
    assert store._log._done == 1
    store.close()


def test_database_survives_reopening(tmp_path):
    """Opening a database a second time applies no migration twice and keeps its rows."""
    for _ in range(2):
        store = Store(tmp_path / "db")
        with store.write() as db:
            db.execute("INSERT OR IGNORE INTO projects (entity, name, created_at) VALUES ('e', 'p', 1)")
            assert db.execute("SELECT count(*) FROM projects").fetchone()[0] == 1
        store.close()


def test_metric_of_an_older_database_is_kept(tmp_path):
    """A database of the first version keeps what its sweeps' runs logged, by sweep, numbered and with extremes."""
    first = (files("sweeper.server.store") / "migrations" / "0001_initial.sql").read_text("utf-8")
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


def test_database_of_a_newer_version_is_refused(tmp_path):
    """A database with a migration we do not know is left alone, with advice."""
    store = Store(tmp_path / "db")
    with store.write() as db:
        db.execute("INSERT INTO migrations VALUES (9999, '9999_from_the_future.sql')")
    store.close()
    with pytest.raises(StoreError, match="newer sweeper") as caught:
        Store(tmp_path / "db")
    assert "Upgrade" in caught.value.hint


def test_file_that_is_no_database_is_refused(tmp_path):
    """A file of something else is named in the error."""
    (tmp_path / "db").write_bytes(b"hello" * 1000)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "db")


def test_key_file_is_its_owners_alone(tmp_path):
    """The embedded user's key is readable by nobody else and stays the same."""
    key = users.embedded_key(tmp_path)
    assert stat.S_IMODE((tmp_path / users.KEY_FILE).stat().st_mode) == 0o600
    assert key.startswith("local-")
    assert len(key) == 46
    assert users.embedded_key(tmp_path) == key


def test_data_directory_is_its_owners_alone(tmp_path):
    """The data directory is closed to others even where it was open before."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    users.open_store(data).close()
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_added_user_comes_in_with_the_key(tmp_path):
    """A user added to a data directory is known by the key that was made, and by no other."""
    key = users.add_user(tmp_path, "ann")
    store = users.open_store(tmp_path)
    with store.read() as db:
        found = users.authenticate(db, key)
        assert found is not None
        assert found.name == "ann"
        assert users.authenticate(db, key[:-1] + ("0" if key[-1] != "0" else "1")) is None
    store.close()


def test_keys_are_stored_as_digests(tmp_path):
    """The database holds no key in clear text."""
    key = users.add_user(tmp_path, "ann")
    for path in tmp_path.iterdir():
        assert key.encode() not in path.read_bytes()


@pytest.mark.parametrize(("name", "key"), [("a/b", None), ("", None), ("ann", "short"), ("ann", "x y" * 20)])
def test_unusable_name_or_key_is_refused(tmp_path, name, key):
    """A name or a key that clients would not accept is refused before it is stored."""
    with pytest.raises(ServerError):
        users.add_user(tmp_path, name, key)


def test_key_of_another_user_is_refused(tmp_path):
    """Two users cannot share a key."""
    key = users.add_user(tmp_path, "ann")
    with pytest.raises(ServerError, match="another user"):
        users.add_user(tmp_path, "bob", key)


def test_closed_store_says_so():
    """Using a store after its end is an error of ours, not one of SQLite."""
    store = Store(MEMORY)
    store.close()
    with pytest.raises(StoreError), store.read():
        pass


def test_migration_and_its_record_are_one(tmp_path):
    """A database whose migration broke off has neither its tables nor its record."""
    store = Store(tmp_path / "db")
    with pytest.raises(sqlite3.OperationalError):
        store._apply(9999, "9999_broken.sql", "CREATE TABLE half (x);\nCREATE TABLE half (x);")
    with store.read() as db:
        assert 9999 not in [row[0] for row in db.execute("SELECT number FROM migrations")]
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone()[0] == 0
    store.close()


def test_reads_that_belong_together_see_one_state(tmp_path):
    """What is written between two reads of one block is not seen by the second: a count fits the rows read before."""
    store = Store(tmp_path / "db")
    with store.read() as reader:
        before = reader.execute("SELECT count(*) FROM users").fetchone()[0]
        with store.write() as writer:
            writer.execute("INSERT INTO users (name, created_at) VALUES ('a', 0)")
        assert reader.execute("SELECT count(*) FROM users").fetchone()[0] == before
    with store.read() as reader:
        assert reader.execute("SELECT count(*) FROM users").fetchone()[0] == before + 1
    store.close()


@pytest.mark.parametrize("durable", [True, False])
def test_a_full_disk_refuses_and_recovers(tmp_path, durable):
    """What does not fit is refused whole, with words that clients take for "later"; then all is as before."""
    store = Store(tmp_path / "db")
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 1}")
    insert = "INSERT INTO projects (entity, name, created_at) VALUES ('e', ?, 1)"
    with pytest.raises(DiskFullError, match="make space") as caught, store.write(durable=durable) as db:
        db.executemany(insert, [("small",), ("x" * 100_000,)])
    assert caught.value.status == 507
    assert store.refusals == 1
    store._writer.execute("PRAGMA max_page_count = 1000000")
    with store.write(durable=durable) as db:
        db.execute(insert, ("later",))
    with store.read() as db:
        assert [row["name"] for row in db.execute("SELECT name FROM projects")] == ["later"]
    store.close()
