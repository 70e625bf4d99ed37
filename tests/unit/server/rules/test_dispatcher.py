"""What agents are answered: who registers, what is drawn, and what an agent gets when no suggestion is ready."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import yaml

from sweeper.run import SweepState
from sweeper.server.errors import NotFoundError
from sweeper.server.rules import sweep_edits
from sweeper.server.rules.dispatcher import Dispatcher, UnhurriedError
from sweeper.server.store import sweeps
from sweeper.server.store.database import MEMORY, Store

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}
RANDOM = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}
BAYES = {**RANDOM, "method": "bayes"}
PAIRS = {"method": "grid", "parameters": {"a": {"values": [1, 2, 3]}, "b": {"values": ["x", "y"]}}}


def test_first_agent_sets_the_sweep_running(table):
    """A sweep is PENDING until its first agent registers, then RUNNING."""
    sweep = table.sweep(GRID)
    assert table.sweep_state(sweep) is SweepState.PENDING
    table.agent(sweep)
    assert table.sweep_state(sweep) is SweepState.RUNNING


@pytest.mark.parametrize(("seeds", "same"), [((7, 7), True), ((7, 8), False), ((None, None), True)])
def test_seed_of_the_file_decides_what_is_drawn(table, seeds, same):
    """Two sweeps draw the same when their files have the same seed; without one, the stored seed decides."""
    drawn = [
        json.loads(
            table.given(table.agent(table.sweep({**RANDOM, "sweeper": {} if seed is None else {"seed": seed}}))).params
        )
        for seed in seeds
    ]
    assert (drawn[0] == drawn[1]) is same


def test_unknown_agent_is_not_found(table):
    """The heartbeat of an agent nobody registered is refused as not found."""
    with pytest.raises(NotFoundError):
        table.beat("nobody")


def test_threads_never_get_the_same_grid_point(table):
    """Eight agents beating at once share a grid of eight without a repeat."""
    sweep = table.sweep({"method": "grid", "parameters": {"lr": {"values": list(range(8))}}})
    agents = [table.agent(sweep) for _ in range(8)]
    found: list[Any] = []

    def beat(agent):
        command = table.dispatcher.heartbeat(agent, set(), now=2000.0)
        found.append(json.loads(command.run.params)["lr"] if command.run else command.kind)

    threads = [threading.Thread(target=beat, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(8))


def test_a_search_in_an_agents_thread_delays_no_other_sweep(table):
    """While one sweep is being searched, agents of another get runs, and runs can report."""
    slow, other = table.sweep(GRID), table.sweep(GRID)
    waiting, free = table.agent(slow), table.agent(other)
    commands = []
    with table.dispatcher._search_locks.setdefault(slow.id, threading.Lock()):  # as if a search were under way
        thread = threading.Thread(
            target=lambda: commands.append(table.dispatcher.heartbeat(waiting, set(), now=table.now))
        )
        thread.start()
        run = table.given(free)
        table.start(run)
        table.log(run, 1.0)
        table.complete(run)
        assert thread.is_alive()
    thread.join(30)
    assert [command.kind for command in commands] == ["run"]


class BusyStore(Store):
    """A database in which something happens after the second reading."""

    def __init__(self, path):
        super().__init__(path)
        self.left, self.happens = 2, list

    @contextmanager
    def read(self):
        """Read."""
        with super().read() as db:
            yield db
        self.left -= 1
        if not self.left:
            self.happens()


def test_a_search_on_demand_counts_only_if_no_run_came_meanwhile(table):
    """A run by hand that comes between the search and its use makes the agent's thread search again."""
    store = BusyStore(MEMORY)
    table.dispatcher = Dispatcher(store)
    sweep = table.sweep(PAIRS)
    agent = table.agent(sweep)
    store.happens = partial(table.join_by_hand, sweep, '{"a": 1, "b": "x"}')
    assert json.loads(table.given(agent).params) == {"a": 1, "b": "y"}
    store.close()


def test_a_search_on_demand_counts_only_if_the_file_is_the_same(table):
    """An edit that comes between the search and its use makes the agent's thread search again."""
    store = BusyStore(MEMORY)
    table.dispatcher = Dispatcher(store)
    sweep = table.sweep(PAIRS)
    agent = table.agent(sweep)

    def edit():
        text = yaml.safe_dump({**PAIRS, "parameters": {**PAIRS["parameters"], "a": {"values": [5]}}})
        with store.write() as db:
            stored = sweeps.get(db, sweep.id)
            sweep_edits.apply(db, stored, sweep_edits.plan(db, stored, text), {}, now=table.now)

    store.happens = edit
    assert json.loads(table.given(agent).params) == {"a": 5, "b": "x"}
    store.close()


@pytest.mark.parametrize(
    "definition",
    [
        {**PAIRS, "sweeper": {"repeats": 4}},
        {**PAIRS, "method": "random", "parameters": {"a": {"values": list(range(24))}}},
        {**PAIRS, "method": "bayes", "metric": {"name": "loss"}, "sweeper": {"initial": [{"a": 3}]}},
        {**BAYES, "parameters": {"a": {"values": list(range(24))}}},
    ],
    ids=str,
)
def test_agents_share_a_finite_space_exactly(ahead, definition):
    """Eight agents at once, and a search that keeps failing: each configuration as often as asked, then home."""
    coin = random.Random(1)
    ahead.process.fails = lambda: coin.random() < 0.4
    sweep = ahead.sweep(definition)
    given = []

    def work(agent):
        while (command := ahead.dispatcher.heartbeat(agent, set(), now=2000.0)).kind != "exit":
            if command.run is not None:
                given.append(command.run.params)
                ahead.start(command.run)
                ahead.log(command.run, coin.random())
                ahead.complete(command.run)
                ahead.dispatcher.changed(sweep.id)

    threads = [threading.Thread(target=work, args=(ahead.agent(sweep),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    counts = Counter(json.dumps(json.loads(params), sort_keys=True) for params in given)
    assert len(counts) == sweep.definition.configurations
    assert set(counts.values()) == {sweep.definition.sweeper.repeats}
    assert ahead.sweep_state(sweep) is SweepState.FINISHED


def test_no_agent_waits_for_a_search_that_hangs(ahead):
    """While the search process is silent, a Bayesian sweep gives random draws, each with the reason."""
    sweep = ahead.sweep(BAYES)
    ahead.process.gate.clear()
    given = [ahead.given(ahead.agent(sweep)) for _ in range(3)]
    origins = [json.loads(run.origin) for run in given]
    assert {origin["engine"] for origin in origins} == {"random/1"}
    assert {origin["fallback"] for origin in origins} == {"the search process is starting"}
    assert len({run.params for run in given}) == 3


def statements(store, act):
    """What SQLite is asked by the writer meanwhile."""
    seen: list[str] = []
    store._writer.set_trace_callback(seen.append)
    act()
    store._writer.set_trace_callback(None)
    return seen


def test_a_quiet_heartbeat_costs_few_statements(table):
    """Three looks and two signs of life: thousands of agents send nothing else, and the number of runs is no matter."""
    sweep = table.sweep(RANDOM)
    agents = [table.agent(sweep) for _ in range(5)]
    given = [table.given(agent) for agent in agents]
    for agent, run in zip(agents, given, strict=True):
        table.start(run)
        table.beat(agent, run.name)
    asked = statements(table.store, lambda: table.beat(agents[0], given[0].name))
    table.now -= 5
    again = statements(table.store, lambda: table.beat(agents[1], given[1].name))
    assert [text.split()[0] for text in asked].count("UPDATE") == 3
    assert len(asked) <= 12, asked
    assert sum(text.startswith("UPDATE sweeps") for text in again) == 0  # one sign of life a second is enough


def test_who_is_in_a_hurry_does_nothing_that_takes_longer(table):
    """A search or a look at all peers would keep others waiting: the heartbeat has not happened, and comes again."""
    judged = {**RANDOM, "early_terminate": {"type": "hyperband", "min_iter": 3}}
    sweep = table.sweep(judged)
    agent = table.agent(sweep)
    with pytest.raises(UnhurriedError):
        table.dispatcher.heartbeat(agent, set(), now=table.now, hurried=True)
    run = table.given(agent)
    table.start(run)
    before = table.read(run)
    with pytest.raises(UnhurriedError):
        table.dispatcher.heartbeat(agent, {run.name}, now=table.now + 5, hurried=True)
    assert table.read(run) == before
    plain = table.sweep(RANDOM)
    other = table.agent(plain)
    own = table.given(other)
    table.start(own)
    assert table.dispatcher.heartbeat(other, {own.name}, now=table.now + 5, hurried=True).kind == "wait"
    assert table.read(own).heartbeat_at == table.now + 5


def test_a_heartbeat_that_lists_many_runs_keeps_nobody_waiting(table):
    """An agent has one run or two; each name that is not its own is looked up."""
    agent = table.agent(table.sweep(RANDOM))
    with pytest.raises(UnhurriedError):
        table.dispatcher.heartbeat(agent, {f"r{i}" for i in range(1000)}, now=table.now, hurried=True)
