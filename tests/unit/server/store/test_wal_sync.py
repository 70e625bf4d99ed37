"""Waiting for the disk: everybody's transaction is there when they are told so, and a failure is told to all."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time

import pytest

from sweeper.server.store.database import Store
from sweeper.server.store.wal_sync import WalSync


def test_writers_in_many_threads_all_get_their_rows_stored(tmp_path):
    """Sixteen threads write at once; another connection finds every row that was acknowledged."""
    store = Store(tmp_path / "db")
    with store.write() as db:
        db.execute("CREATE TABLE t (n INTEGER)")

    def add(number: int) -> None:
        for i in range(10):
            with store.write() as db:
                db.execute("INSERT INTO t VALUES (?)", (10 * number + i,))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as db:
        assert sorted(n for (n,) in db.execute("SELECT n FROM t")) == list(range(160))
    store.close()


def test_a_writer_may_write_while_another_waits_for_the_disk(tmp_path):
    """The write lock is free while a transaction is brought to the disk."""
    store = Store(tmp_path / "db")
    with store.write() as db:
        db.execute("CREATE TABLE t (n INTEGER)")
    log = store._log
    assert log is not None
    log._busy = True  # as if the disk were at somebody else's transaction
    first = threading.Thread(target=lambda: write(store, durable=True))
    first.start()
    write(store, durable=False)
    assert first.is_alive()
    with log._change:
        log._busy = False
        log._change.notify_all()
    first.join(30)
    assert not first.is_alive()
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM t").fetchone()[0] == 2
    store.close()


def write(store: Store, *, durable: bool) -> None:
    with store.write(durable=durable) as db:
        db.execute("INSERT INTO t VALUES (1)")


def test_a_disk_that_fails_is_no_success(tmp_path):
    """Nobody is told that their transaction is stored if the log cannot be synced, and the next may try again."""
    log = WalSync(tmp_path / "db")
    for _ in range(2):
        with pytest.raises(OSError, match="db-wal"):
            log.wait()
    (tmp_path / "db-wal").touch()
    log.wait()
    log.close()


def test_a_sync_that_fails_is_told_to_all_who_waited_for_it(tmp_path):
    """The system reports it once: nobody takes the silence for a success, whoever asked first."""
    for _ in range(6):
        log, heard = WalSync(tmp_path / "none"), []
        log._busy = True  # as if the disk were at somebody else's transaction

        def ask(log=log, heard=heard):
            try:
                log.wait()
            except OSError as error:
                heard.append(error)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        while log._asked < 3:
            time.sleep(0.001)
        with log._change:
            log._busy = False
            log._change.notify_all()
        for thread in threads:
            thread.join(20)
        assert len(heard) == 3


def test_a_sync_covers_what_was_asked_before_it_and_nothing_else(tmp_path):
    """Who comes while it runs has a sync of their own."""
    (tmp_path / "db-wal").touch()
    log = WalSync(tmp_path / "db")
    for number in (1, 2):
        log.wait()
        assert (log._asked, log._done, log._failed) == (number, number, 0)
    log.close()
