"""Suggestions computed ahead: the same as those computed on demand, never twice, and never in an agent's way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sweeper.run import SweepState
from sweeper.search import bayes
from sweeper.server.rules import suggestions
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.store import runs, sweeps
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
    ahead.settled(sweep)  # what takes the place of the one given is none of the orders below
    ahead.process.orders.clear()
    ahead.start(run)
    ahead.log(run, 0.5)
    ahead.complete(run)
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


@pytest.mark.parametrize("definition", [GRID, FINITE, BAYES], ids=lambda definition: definition["method"])
def test_a_run_started_by_hand_takes_its_configuration(ahead, definition):
    """A run that joins a sweep makes the suggestions before it void: its configuration is not given out again."""
    sweep = ahead.sweep(definition)
    agent = ahead.agent(sweep)
    known = ahead.settled(sweep)
    params = known[0].params if known else '{"b": "x", "a": 1}'
    ahead.join_by_hand(sweep, params)
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
    table.join_by_hand(sweep, '{"a": 1, "b": "y"}')
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
        sweeps.replace_definition(db, sweep, text, now=ahead.now)
        assert not suggestions.keep(db, order, entry(1, a=1, b="x"))
        assert suggestions.ahead(db, sweep.id) == []


def test_a_resumed_sweep_is_still_exhausted(ahead):
    """Resuming a sweep that has given out its whole grid gives nothing more."""
    sweep = ahead.sweep(GRID)
    agent = ahead.agent(sweep)
    assert len(list(params_given(ahead, agent, lambda: ahead.ready(sweep)))) == 6
    ahead.set_state(sweep, SweepState.RUNNING)
    assert ahead.beat(agent).kind == "exit"
