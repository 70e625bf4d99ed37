"""Small requests carried out together: one transaction, and to each its own outcome."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading

import pytest

from sweeper.server.http.batches import Batches
from sweeper.server.store.database import Store
from sweeper.server.store.disk import DiskFullError


@pytest.fixture
def store(tmp_path):
    """A database with a table, whose writer notes its statements in `seen`."""
    store = Store(tmp_path / "db")
    with store.write() as db:
        db.execute("CREATE TABLE t (x INTEGER UNIQUE)")
    yield store
    store.close()


def statements(store):
    """What the writer is told from now on."""
    seen = []
    store._writer.set_trace_callback(seen.append)
    return seen


def put(store, *values, durable=True):
    """Give what writes values, and then what it wrote."""

    def act():
        with store.write(durable=durable) as db:
            for value in values:
                db.execute("INSERT INTO t VALUES (?)", (value,))
        with store.read() as db:
            return [x for (x,) in db.execute("SELECT x FROM t WHERE x IN (?)", values[:1])]

    return act


def carry_out(store, *acts):
    """Carry out requests that all wait while the first one is under way; their results or errors."""

    async def all_at_once():
        batches, gate = Batches(store), threading.Event()
        first = asyncio.create_task(batches.carry_out(gate.wait))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(batches.carry_out(act)) for act in acts]
        await asyncio.sleep(0)
        gate.set()
        await first
        found = await asyncio.gather(*others, return_exceptions=True)
        batches.close()
        return found

    return asyncio.run(all_at_once())


def content(store):
    """What is stored."""
    with store.read() as db:
        return [x for (x,) in db.execute("SELECT x FROM t ORDER BY x")]


def test_requests_that_wait_share_a_transaction(store):
    """Ten writes, one commit; each sees what it has written itself."""
    seen = statements(store)
    assert carry_out(store, *(put(store, i) for i in range(10))) == [[i] for i in range(10)]
    assert seen.count("COMMIT") == 2  # the first one was alone
    assert content(store) == list(range(10))


def test_what_one_raises_takes_back_only_what_it_did(store):
    """Its neighbours' rows stay, before and behind it, and their requests never hear of it."""
    first, second, third = carry_out(store, put(store, 1), put(store, 2, 3, 1), put(store, 4))
    assert (first, third) == ([1], [4])
    assert isinstance(second, sqlite3.IntegrityError)
    assert content(store) == [1, 4]


def test_nobody_is_told_of_a_success_that_was_undone(store):
    """A disk that is full ends the whole transaction: all who shared it are refused, and try again."""

    def full():
        with store.write() as db:
            db.execute("ROLLBACK")  # as SQLite does by itself
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    refusals = store.refusals
    found = carry_out(store, put(store, 1), full, put(store, 2))
    assert [type(error) for error in found] == [DiskFullError] * 3
    assert content(store) == []
    assert store.refusals > refusals
    assert carry_out(store, put(store, 3)) == [[3]]


def test_an_answer_that_is_to_last_waits_for_the_disk(store):
    """One sync is for all of them; who may be forgotten in a power failure does not ask for it."""
    assert store._log is not None
    before = store._log._done
    carry_out(store, *(put(store, i, durable=False) for i in range(5)))
    assert store._log._done == before
    carry_out(store, *(put(store, i) for i in range(5, 10)))
    assert before < store._log._done <= before + 2


def test_nobody_hears_of_a_row_before_it_is_on_the_disk(store, monkeypatch):
    """Whoever has heard may forget it. What need not last is answered meanwhile."""
    reached, own = threading.Event(), store._log.wait
    monkeypatch.setattr(store._log, "wait", lambda: (reached.wait(20), own()))

    async def meanwhile():
        batches = Batches(store)
        row = asyncio.create_task(batches.carry_out(put(store, 1)))
        assert await batches.carry_out(put(store, 2, durable=False)) == [2]
        await asyncio.sleep(0.1)
        heard = row.done()
        reached.set()
        found = await row
        batches.close()
        return heard, found

    assert asyncio.run(meanwhile()) == (False, [1])


def test_a_sync_that_fails_is_no_success(store):
    """Whoever waited for the disk hears that it failed; who did not wait has their answer."""
    assert store._log is not None
    reading = os.open(os.devnull, os.O_RDONLY)
    store._log._descriptor, kept = reading, store._log._descriptor
    os.close(reading)
    found = carry_out(store, put(store, 1), put(store, 2, durable=False))
    store._log._descriptor = kept
    assert isinstance(found[0], OSError)
    assert found[1] == [2]


def test_a_request_that_nobody_waits_for_any_more_harms_no_other(store):
    """Its client has gone: the others in its transaction are answered."""

    async def leave():
        batches, gate = Batches(store), threading.Event()
        gone = asyncio.create_task(batches.carry_out(gate.wait))
        other = asyncio.create_task(batches.carry_out(put(store, 1)))
        await asyncio.sleep(0.05)
        gone.cancel()
        gate.set()
        found = await other
        batches.close()
        return found

    assert asyncio.run(leave()) == [1]
