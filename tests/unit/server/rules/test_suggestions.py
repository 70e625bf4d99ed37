"""Suggestions computed ahead: the same as those computed on demand, never twice, and never in an agent's way."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from sweeper.run import RunState, SweepState
from sweeper.search import bayes
from sweeper.server.rules import prior_runs, run_endings, suggestions
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.search_process import KnownRuns
from sweeper.server.store import runs, sweeps
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.suggestions import NumberedSuggestion

METRIC = {"name": "loss", "goal": "minimize"}
GRID = {"method": "grid", "parameters": {"a": {"values": [1, 2, 3]}, "b": {"values": ["x", "y"]}}}
FINITE = {**GRID, "method": "random"}
ENDLESS = {"method": "random", "metric": METRIC, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}
BAYES = {**ENDLESS, "method": "bayes"}


def params_given(table, agent, wait=bool):
    """Let an agent take runs that never end until it is sent home."""
    while True:
        wait()
        command = table.beat(agent)
        if command.run is None:
            return
        yield command.run.params
        table.start(command.run)
        with table.store.write() as db:
            db.execute("UPDATE runs SET agent_id = NULL WHERE id = ?", (command.run.id,))


@pytest.mark.parametrize(
    "definition",
    [
        GRID,
        FINITE,
        {**GRID, "sweeper": {"order": "random"}},
        {**GRID, "sweeper": {"repeats": 2, "repeat_parameter": "seed"}},
        {**FINITE, "sweeper": {"repeats": 3}},
        {**GRID, "sweeper": {"initial": [{"a": 2}], "conditions": {"b": {"a": [1, 2]}}}},
        {**FINITE, "method": "bayes", "metric": METRIC},
        {**ENDLESS, "run_cap": 9},
        {**BAYES, "run_cap": 12},
        {**BAYES, "run_cap": 7, "sweeper": {"seed": 3, "initial": [{"lr": 0.5}], "repeats": 2}},
    ],
    ids=str,
)
def test_what_is_computed_ahead_is_what_would_be_computed_on_demand(table, ahead, definition):
    """A sweep gives the same runs in the same order with and without a search process, and the same end."""
    there = table.sweep(definition)
    on_demand = list(params_given(table, table.agent(there)))
    here = ahead.sweep(definition)
    found = list(params_given(ahead, ahead.agent(here), lambda: ahead.ready(here)))
    assert found == on_demand
    assert found


def test_a_run_says_what_suggested_it(ahead):
    """A run keeps engine, seed and the number of ended runs its suggestion was based on."""
    sweep = ahead.sweep({**BAYES, "sweeper": {"seed": 5}})
    agent = ahead.agent(sweep)
    for ended in range(3):
        ahead.settled(sweep)
        run = ahead.given(agent)
        assert json.loads(run.origin) == {"engine": bayes.ENGINE, "seed": 5, "runs": ended}
        ahead.start(run)
        ahead.log(run, 0.5)
        ahead.complete(run)
        ahead.dispatcher.changed(sweep.id)


def test_results_bring_new_suggestions(ahead):
    """When a run ends, the suggestions of a Bayesian search are computed anew, the first ones first."""
    sweep = ahead.sweep(BAYES)
    agent = ahead.agent(sweep)
    before = ahead.settled(sweep)
    run = ahead.given(agent)
    ahead.start(run)
    ahead.log(run, 0.5)
    ahead.complete(run)
    ahead.process.orders.clear()
    ahead.dispatcher.changed(sweep.id)
    after = ahead.settled(sweep)
    assert [entry.based_on for entry in before] == [0] * suggestions.MOST
    assert [entry.based_on for entry in after[: suggestions.LEAST]] == [1] * suggestions.LEAST
    assert [order.number for order in ahead.process.orders] == [2, 3]


def test_results_do_not_change_what_does_not_learn(ahead):
    """A grid's suggestions stay when a run ends."""
    sweep = ahead.sweep(GRID)
    agent = ahead.agent(sweep)
    before = ahead.settled(sweep)
    run = ahead.given(agent)
    ahead.start(run)
    ahead.complete(run)
    ahead.dispatcher.changed(sweep.id)
    assert ahead.settled(sweep) == before[1:]


def test_no_agent_waits_for_a_search_that_hangs(ahead):
    """While the search process is silent, a Bayesian sweep gives random draws, each with the reason."""
    sweep = ahead.sweep(BAYES)
    ahead.process.gate.clear()
    given = [ahead.given(ahead.agent(sweep)) for _ in range(3)]
    origins = [json.loads(run.origin) for run in given]
    assert {origin["engine"] for origin in origins} == {"random/1"}
    assert {origin["fallback"] for origin in origins} == {"the search process is starting"}
    assert len({run.params for run in given}) == 3


def test_a_failing_search_costs_random_draws_and_is_tried_again(ahead, caplog):
    """A failure is logged, stands on the runs it cost, and ends with the first search that goes well."""
    failing = threading.Event()
    failing.set()
    ahead.process.fails = failing.is_set
    sweep = ahead.sweep(BAYES)
    agent = ahead.agent(sweep)
    while "it failed" not in caplog.text:
        time.sleep(0.01)
    assert json.loads(ahead.given(agent).origin)["fallback"] == "it failed"
    failing.clear()
    ahead.ready(sweep)
    assert "fallback" not in json.loads(ahead.given(ahead.agent(sweep)).origin)


@pytest.mark.parametrize(
    "definition",
    [
        {**GRID, "sweeper": {"repeats": 4}},
        {**FINITE, "parameters": {"a": {"values": list(range(24))}}},
        {**FINITE, "method": "bayes", "metric": METRIC, "sweeper": {"initial": [{"a": 3}]}},
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


def test_target_ends_a_sweep_though_suggestions_are_ready(ahead):
    """No run is given out once one has logged a value as good as the target."""
    sweep = ahead.sweep({**BAYES, "metric": {**METRIC, "target": 0.1}})
    agents = [ahead.agent(sweep) for _ in range(2)]
    run = ahead.given(agents[0])
    assert len(ahead.settled(sweep)) > 1
    ahead.start(run)
    ahead.log(run, 0.3, 0.1)
    assert ahead.beat(agents[1]).kind == "exit"
    ahead.complete(run)
    assert ahead.sweep_state(sweep) is SweepState.FINISHED


def test_target_may_be_reached_in_the_summary(ahead):
    """A run that says its value in the summary alone ends the sweep when it ends."""
    sweep = ahead.sweep({**BAYES, "metric": {**METRIC, "goal": "maximize", "target": 0.9}})
    run = ahead.given(ahead.agent(sweep))
    ahead.settled(sweep)
    ahead.start(run)
    with ahead.store.write() as db:
        runs.update(db, run.id, summary='{"loss": 0.95}')
    ahead.complete(run)
    assert ahead.sweep_state(sweep) is SweepState.FINISHED


def test_a_prior_runs_value_is_not_the_target(ahead):
    """A sweep whose attached run is as good as the target goes on: its own runs count."""
    old = ahead.sweep(ENDLESS)
    run = ahead.given(ahead.agent(old))
    ahead.start(run)
    ahead.log(run, 0.0)
    ahead.complete(run)
    new = ahead.sweep({**BAYES, "metric": {**METRIC, "target": 0.1}})
    with ahead.store.write() as db:
        prior_runs.attach(db, new, json.dumps({"name": run.name}))
    assert ahead.beat(ahead.agent(new)).kind == "run"


def join_by_hand(table, sweep, params):
    with table.store.write() as db:
        values = json.loads(params)
        run = runs.create(db, sweep.project_id, "by-hand", state=RunState.RUNNING, now=table.now)
        runs.update(db, run.id, sweep_id=sweep.id, params=params, params_key=runs.key_of(values))


@pytest.mark.parametrize("definition", [GRID, FINITE, BAYES], ids=lambda definition: definition["method"])
def test_a_run_started_by_hand_takes_its_configuration(ahead, definition):
    """A run that joins a sweep makes the suggestions before it void: its configuration is not given out again."""
    sweep = ahead.sweep(definition)
    agent = ahead.agent(sweep)
    known = ahead.settled(sweep)
    params = known[0].params if known else '{"b": "x", "a": 1}'
    join_by_hand(ahead, sweep, params)
    ahead.dispatcher.changed(sweep.id)
    wanted = 5 if definition["method"] == "bayes" else 6
    given = [params for params, _ in zip(params_given(ahead, agent), range(wanted), strict=False)]
    assert len(given) == 5
    assert json.loads(params) not in [json.loads(other) for other in given]


def test_an_answer_that_comes_too_late_does_not_count(ahead):
    """What was computed for a run that the sweep has made otherwise meanwhile is not stored; others wait behind it."""
    sweep = ahead.sweep({**BAYES, "parameters": {"a": {"values": [1, 2, 3]}}})
    ahead.process.gate.clear()
    given = ahead.given(ahead.agent(sweep))
    ahead.process.gate.set()
    rest = [entry.params for entry in ahead.settled(sweep)]
    assert sorted([given.params, *rest]) == ['{"a": 1}', '{"a": 2}', '{"a": 3}']


def test_a_late_answer_is_better_than_none_in_an_endless_space(ahead):
    """An endless space takes what was computed without the last run, under the next number, if none is ready."""
    sweep = ahead.sweep(BAYES)
    with ahead.store.write() as db:
        order = suggestions.next_order(db, sweep.id)
        late = NumberedSuggestion(1, '{"lr": 0.25}', runs.key_of({"lr": 0.25}), "bayes", 1, 0)
        runs.propose(db, sweep, {"lr": 0.5}, now=ahead.now, origin={})
        assert suggestions.keep(db, order, late)
        assert [(entry.number, entry.params) for entry in suggestions.ahead(db, sweep.id)] == [(2, '{"lr": 0.25}')]


def entry(number, based_on=0, **params):
    """A suggestion of a given configuration."""
    return NumberedSuggestion(number, json.dumps(params), runs.key_of(params), "bayes", 1, based_on)


def test_a_suggestion_that_followed_another_one_needs_it(table):
    """What was computed to follow a suggestion is not stored when a run by hand has taken that one's place."""
    sweep = table.sweep(GRID)
    with table.store.write() as db:
        assert suggestions.keep(db, suggestions.next_order(db, sweep.id), entry(1, a=1, b="x"))
        order = suggestions.next_order(db, sweep.id)
    join_by_hand(table, sweep, '{"a": 1, "b": "y"}')
    with table.store.write() as db:
        assert not suggestions.keep(db, order, entry(2, a=1, b="y"))
        assert suggestions.take(db, sweep.id) is None


def test_a_new_suggestion_drops_its_double(table):
    """When a suggestion is computed anew and becomes what stood behind it, that one and the rest are dropped."""
    sweep = table.sweep({**BAYES, "parameters": GRID["parameters"]})
    with table.store.write() as db:
        for number in (1, 2, 3):
            assert suggestions.keep(db, suggestions.next_order(db, sweep.id), entry(number, a=number, b="x"))
        again = replace(suggestions.next_order(db, sweep.id), given=())
        assert suggestions.keep(db, again, entry(1, 1, a=2, b="x"))
        assert [known.params for known in suggestions.ahead(db, sweep.id)] == ['{"a": 2, "b": "x"}']
        assert suggestions.keep(db, suggestions.next_order(db, sweep.id), entry(2, a=3, b="x"))
        assert suggestions.keep(db, again, entry(1, 1, a=1, b="y"))
        assert [json.loads(known.params)["a"] for known in suggestions.ahead(db, sweep.id)] == [1, 3]


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
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    store.happens = partial(join_by_hand, table, sweep, '{"a": 1, "b": "x"}')
    assert json.loads(table.given(agent).params) == {"a": 1, "b": "y"}
    store.close()


def test_suggestions_outlive_the_server(ahead):
    """A scheduler that starts on the database gives out what was ready."""
    sweep = ahead.sweep(BAYES)
    agent = ahead.agent(sweep)
    first = ahead.settled(sweep)[0]
    ahead.dispatcher = Dispatcher(ahead.store)
    assert ahead.given(agent).params == first.params


def test_another_definition_makes_suggestions_void(ahead):
    """A sweep that gets another definition before it starts forgets what was computed for the old one."""
    sweep = ahead.sweep(GRID)
    ahead.dispatcher.changed(sweep.id)
    ahead.settled(sweep)
    with ahead.store.write() as db:
        order = suggestions.SearchOrder(sweep.id, sweep.definition_text, 0, ())
        text = sweep.definition_text.replace("grid", "random")
        sweeps.replace_definition(db, sweep.id, text, display_name=None, now=ahead.now)
        assert not suggestions.keep(db, order, entry(1, a=1, b="x"))
        assert suggestions.ahead(db, sweep.id) == []


def test_a_resumed_sweep_is_still_exhausted(ahead):
    """Resuming a sweep that has given out its whole grid gives nothing more."""
    sweep = ahead.sweep(GRID)
    agent = ahead.agent(sweep)
    assert len(list(params_given(ahead, agent, lambda: ahead.ready(sweep)))) == 6
    ahead.set_state(sweep, SweepState.RUNNING)
    assert ahead.beat(agent).kind == "exit"


def test_runs_in_memory_are_those_of_the_database(table):
    """Whatever happens to runs, the search process sees them as the database has them."""
    sweep, known = table.sweep(BAYES), KnownRuns()

    def check():
        with table.store.read() as db:
            assert known.refresh(db, sweep) == runs.for_search(db, sweep)

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
    earlier = table.given(table.agent(table.sweep(ENDLESS)))
    with table.store.write() as db:
        prior_runs.attach(db, sweep, json.dumps({"name": earlier.name}))
    check()
    with table.store.write() as db:
        run_endings.silent(db, table.read(earlier), now=table.now, retries=0)
    check()
