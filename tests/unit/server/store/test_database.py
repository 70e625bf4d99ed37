"""The database: transactions, migrations, who may read the key."""

from __future__ import annotations

import contextlib
import threading

import pytest

from sweeper.errors import StoreError
from sweeper.server.store import projects
from sweeper.server.store.database import MEMORY, Store, reading


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


def test_closed_store_says_so():
    """Using a store after its end is an error of ours, not one of SQLite."""
    store = Store(MEMORY)
    store.close()
    with pytest.raises(StoreError), store.read():
        pass


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


def test_another_process_reads_beside_the_server(tmp_path):
    """It sees what is committed, and can change nothing."""
    store = Store(tmp_path / "db")
    with store.write() as db:
        projects.ensure(db, "local", "p", now=0)
    with reading(tmp_path / "db") as db:
        assert [place.name for place in projects.all_of(db)] == ["p"]
    with pytest.raises(StoreError, match="readonly"), reading(tmp_path / "db") as db:
        projects.ensure(db, "local", "q", now=0)
    store.close()


def test_a_database_that_cannot_be_read_is_an_error_of_ours(tmp_path):
    """With its name and the command that puts a backup back; a file that is not there is one too, with other words."""
    (tmp_path / "db").write_bytes(b"hello" * 1000)
    for name, fix in (("db", "sweeper server restore"), ("absent", "see that it is there")):
        with pytest.raises(StoreError, match=name) as caught, reading(tmp_path / name) as db:
            projects.all_of(db)
        assert fix in caught.value.hint


def test_what_is_written_together_is_stored_together(tmp_path):
    """Nobody else sees any of it before the end; this thread sees its own, and whoever asked is called behind it."""
    store = Store(tmp_path / "db")
    called = []

    def count():
        with store.read() as db:
            return db.execute("SELECT count(*) FROM projects").fetchone()[0]

    def look():
        called.append(count())

    with store.together() as group:
        for name in "ab":
            with store.write() as db:
                db.execute("INSERT INTO projects (entity, name, created_at) VALUES ('e', ?, 1)", (name,))
        store.when_stored(look)
        assert group.durable
        assert count() == 2
        other = threading.Thread(target=look)
        other.start()
        other.join(timeout=10)
        assert called == [0]
    assert called == [0, 2]
    store.when_stored(look)
    assert called == [0, 2, 2]
    store.close()


def test_a_part_that_fails_leaves_the_others(tmp_path):
    """Each write of those that share a transaction is all or nothing by itself."""
    store = Store(tmp_path / "db")
    query = "INSERT INTO projects (entity, name, created_at) VALUES ('e', ?, 1)"
    with store.together():
        with store.write() as db:
            db.execute(query, ("kept",))
        with contextlib.suppress(RuntimeError), store.write() as db:
            db.execute(query, ("dropped",))
            raise RuntimeError
    with store.read() as db:
        assert [name for (name,) in db.execute("SELECT name FROM projects")] == ["kept"]
    with contextlib.suppress(RuntimeError), store.together():
        with store.write() as db:
            db.execute(query, ("gone",))
        raise RuntimeError
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM projects").fetchone()[0] == 1
    store.close()


def test_one_who_waits_for_the_disk_is_enough_for_all_who_share_a_transaction(tmp_path):
    """Whether the last of them waits or not; each write changes the mark, and none that fails does."""
    store = Store(tmp_path / "db")
    for durable in ((True, False), (False, True)):
        with store.together() as group:
            for each in durable:
                with store.write(durable=each):
                    pass
        assert group.durable
    with store.together() as group, store.write(durable=False):
        pass
    assert not group.durable
    mark = store.mark
    with store.write():
        pass
    assert store.mark != mark
    store.close()


def test_who_does_not_ask_for_the_disk_does_not_wait_for_it(tmp_path):
    """And who does ask has waited when the write is over."""
    store = Store(tmp_path / "db")
    asked = store._log._asked
    with store.write(durable=False):
        pass
    assert store._log._asked == asked
    with store.write():
        pass
    assert store._log._asked == store._log._done == asked + 1
    store.close()
