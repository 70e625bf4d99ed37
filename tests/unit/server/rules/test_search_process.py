"""What the search process answers, and what it keeps in memory."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from multiprocessing import Pipe

import pytest

from sweeper.server.rules import prior_runs, run_endings, suggestions
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.search_process import KnownRuns, Searching
from sweeper.server.store import runs, seen_runs, sweeps, users
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


@pytest.mark.parametrize("last", [{"loss": 1.0}, {"loss": math.nan}, {"other": 1.0}], ids=str)
def test_the_last_values_of_a_run_that_has_ended_are_seen(client, last):
    """A stopped run's process sends its last rows after the run was taken for ended: the search reads it anew."""
    name = client.sweep(BAYES)
    agent = client.agent(name)
    run = client.beat(agent)[0]["run_id"]
    client.init(run, sweep=name)
    client.log(run, {"loss": math.nan if "other" not in last else 3.0})
    client.graphql("mutation($id: ID!) { stopRun(input: {id: $id}) { success } }", id=client.run(run, "id")["id"])
    client.beat(agent)
    assert client.run(run, "state") == {"state": "killed"}
    known, store = KnownRuns(), client.http.app.state.store
    with store.read() as db:
        sweep = sweeps.find(db, name)
        before = known.refresh(db, sweep)[0]
        ended_at = runs.find(db, sweep.project_id, run).ended_at
    client.log(run, last, offset=1)
    with store.read() as db:
        after, *others = known.refresh(db, sweep)
        assert [after, *others] == seen_runs.for_search(db, sweep)
        assert runs.find(db, sweep.project_id, run).ended_at > ended_at
    assert after != before
    client.log(run, last, offset=1)  # and once more: nothing is new
    with store.read() as db:
        assert known.refresh(db, sweep) == [after, *others]


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
