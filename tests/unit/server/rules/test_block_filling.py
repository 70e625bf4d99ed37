"""Histories are summed up behind the runs that write them."""

from __future__ import annotations

import asyncio
import contextlib
import json

import numpy as np
import pytest

from sweeper.plots import chunks
from sweeper.plots.chunks import COUNT, HIGH
from sweeper.run import RunState
from sweeper.server.rules.block_filling import BlockFilling
from sweeper.server.store import history_blocks, history_keys, key_extremes, lines, projects, runs
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.history_blocks import BLOCK
from sweeper.server.store.lines import HistoryLine


@pytest.fixture
def store():
    """A database."""
    made = Store(MEMORY)
    yield made
    made.close()


def logged(store, count: int) -> int:
    """Make a run with a history."""
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        run = runs.create(db, place.id, "r", state=RunState.RUNNING, now=0)
        rows = (
            {"_step": number, "a": number % 100, "rare": 1} if number == 70 else {"_step": number, "a": number % 100}
            for number in range(count)
        )
        lines.put_history(db, run.id, [HistoryLine(row["_step"], json.dumps(row), row) for row in rows])
    return run.id


def test_whole_blocks_are_summed_up_one_by_one(store):
    """Each key's numbers by chunks of lines; the rest of the history waits until its block is whole."""
    run_id, filling = logged(store, 2 * BLOCK + 5), BlockFilling(store)
    assert [filling.go_on() for _ in range(4)] == [True, True, True, False]
    with store.read() as db:
        found = history_blocks.sums(db, run_id, ["a", "rare", "_step"], [0, 1])
        assert history_blocks.due(db) is None
    assert found["a"].keys() == found["_step"].keys() == {0, 1}
    assert np.all(chunks.unpacked(found["a"][1])[:, COUNT] == chunks.CHUNK)
    assert chunks.unpacked(found["a"][0])[:, HIGH].max() == 99
    assert np.flatnonzero(chunks.unpacked(found["rare"][0])[:, COUNT]).tolist() == [1]
    assert 1 not in found["rare"]


def test_a_run_of_an_older_server_gets_the_extremes_of_its_keys(store):
    """They are counted as rows come in, and of rows that are there already nobody counted them."""
    run_id, filling = logged(store, 200), BlockFilling(store)
    with store.write() as db:
        rows = lines.history(db, run_id)
        counted = history_keys.add_keys({}, rows)
        runs.put(db, run_id, history_keys=history_keys.without_extremes(json.dumps(counted)))
        history_blocks.make_due(db, run_id)
    assert [filling.go_on() for _ in range(2)] == [True, False]
    with store.read() as db:
        assert json.loads(runs.get(db, run_id).history_keys) == counted
        assert key_extremes.complete(db, run_id) is None


def test_a_round_without_news_asks_the_database_nothing(store):
    """A server that nobody writes to has nothing to sum up."""
    filling = BlockFilling(store)
    assert not filling.go_on()
    store.close()
    assert not filling.go_on()


def test_the_work_goes_on_by_itself(store):
    """Beside everything else, until the server ends."""

    async def works() -> None:
        task = asyncio.create_task(BlockFilling(store).work())
        for _ in range(400):
            await asyncio.sleep(0.02)
            with store.read() as db:
                if history_blocks.kept(db, run_id) == [0]:
                    break
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    run_id = logged(store, BLOCK)
    asyncio.run(works())
    with store.read() as db:
        assert history_blocks.kept(db, run_id) == [0]
