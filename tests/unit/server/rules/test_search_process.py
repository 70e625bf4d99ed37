"""What the search process answers, and what it keeps in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from multiprocessing import Pipe

import pytest

from sweeper.server.rules import prior_runs, run_endings, suggestions
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.search_process import KnownRuns, Searching
from sweeper.server.store import seen_runs, users
from tests.unit.server.conftest import Table

RANDOM = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}
BAYES = {**RANDOM, "method": "bayes"}


def test_runs_in_memory_are_those_of_the_database(table):
    """Whatever happens to runs, the search process sees them as the database has them."""
    sweep, known = table.sweep(BAYES), KnownRuns()

    def check():
        with table.store.read() as db:
            assert known.refresh(db, sweep) == seen_runs.for_search(db, sweep)

    check()
    first, second = table.given(table.agent(sweep)), table.given(table.agent(sweep))
    check()
    table.start(first)
    table.log(first, 3.0)
    check()
    table.log(first, 3.0, 2.0)
    table.start(second)
    table.complete(first)
    check()
    table.now += 61
    table.reap()
    check()
    table.start(second)
    table.log(second, 1.0)
    check()
    table.complete(second, 1)
    earlier = table.given(table.agent(table.sweep(RANDOM)))
    table.start(earlier)
    with table.store.write() as db:
        prior_runs.attach(db, sweep, json.dumps({"name": earlier.name}))
    check()
    with table.store.write() as db:
        run_endings.silent(db, table.read(earlier), now=table.now, retries=0)
    check()


def test_an_order_that_the_sweep_has_overtaken_finds_nothing(table):
    """A run made since the order was written takes the number: whatever were computed would be void."""
    sweep = table.sweep(BAYES)
    with table.store.read() as db:
        order = suggestions.next_order(db, sweep.id)
    table.given(table.agent(sweep))
    with table.store.read() as db:
        answer = Searching(db).answer(order)
    assert (answer.found, answer.error) == (None, "")


@pytest.mark.parametrize("ordered", [True, False])
def test_a_server_that_died_is_no_error(tmp_path, ordered):
    """Killed while it waits for an answer, or for nothing: the process ends, and leaves no traceback in the log."""
    store = users.open_store(tmp_path)
    sweep = Table(Dispatcher(store)).sweep(BAYES)
    with store.read() as db:
        order = suggestions.next_order(db, sweep.id)
    assert order is not None
    here, there = Pipe()
    command = [sys.executable, "-m", "sweeper.server.rules.search_process", str(tmp_path / users.DATABASE)]
    with subprocess.Popen(
        [*command, str(there.fileno())], pass_fds=[there.fileno()], stderr=subprocess.PIPE, text=True
    ) as process:
        there.close()
        if ordered:
            here.send_bytes(suggestions.ORDERS.dump_json(order))
        here.close()
        _, said = process.communicate(timeout=60)
    store.close()
    assert (process.returncode, said) == (0, "")
