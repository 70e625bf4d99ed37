"""When a sweep is over, and what a person's words do to it."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState, SweepState
from sweeper.server.errors import RequestError
from sweeper.server.rules import prior_runs, run_endings
from sweeper.server.store import runs, suggestions
from sweeper.server.store.suggestions import NumberedSuggestion

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}
RANDOM = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}
BAYES = {**RANDOM, "method": "bayes"}
METRIC = RANDOM["metric"]
TWO = {
    "method": "custom",
    "metrics": [{"name": "loss", "target": 0.2}, {"name": "val.acc", "goal": "maximize", "target": 0.8}],
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
}


def test_stopped_sweep_lets_its_runs_finish(table):
    """After `--stop` a live run goes on, and its agent exits when it is done."""
    sweep = table.sweep(RANDOM)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.set_state(sweep, SweepState.FINISHED)
    assert table.beat(agent, run.name).kind == "wait"
    table.complete(run)
    assert table.state(run) is RunState.FINISHED
    assert table.beat(agent).kind == "exit"


def test_a_paused_sweep_ends_no_run(table):
    """What is on its way to an agent, and what waits for one, is there when the pause is over."""
    sweep = table.sweep(RANDOM)
    agent, other = table.agent(sweep), table.agent(sweep)
    run, waiting = table.given(agent), table.given(other)
    table.beat(other, waiting.name)
    table.start(waiting)
    table.complete(waiting, exit_code=1)
    with table.store.write() as db:
        run_endings.requeue(db, table.read(waiting), now=table.now)
    table.set_state(sweep, SweepState.PAUSED)
    assert [table.state(one) for one in (run, waiting)] == [RunState.PENDING, RunState.PREEMPTED]


def test_canceled_sweep_stops_each_run_then_sends_the_agent_home(table):
    """After `--cancel` a live run is stopped and counted as killed, and its agent exits."""
    sweep = table.sweep(RANDOM)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.set_state(sweep, SweepState.CANCELED)
    command = table.beat(agent, run.name)
    assert command.kind == "stop"
    assert command.run is not None
    assert command.run.name == run.name
    assert table.beat(agent).kind == "exit"
    assert table.state(run) is RunState.KILLED
    assert table.read(run).reason == "the sweep was canceled"


def test_canceled_sweep_stops_a_run_whose_start_was_under_way(table):
    """A run handed out just before `--cancel` is stopped when its agent lists it."""
    sweep = table.sweep(RANDOM)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.set_state(sweep, SweepState.CANCELED)
    assert table.beat(agent, run.name).kind == "stop"


STATES = {
    SweepState.PENDING: {"RUNNING", "PAUSED", "FINISHED", "CANCELED"},
    SweepState.RUNNING: {"RUNNING", "PAUSED", "FINISHED", "CANCELED"},
    SweepState.PAUSED: {"RUNNING", "PAUSED", "FINISHED", "CANCELED"},
    SweepState.FINISHED: {"RUNNING", "FINISHED", "CANCELED"},
    SweepState.CANCELED: {"CANCELED"},
}
"""What a person may ask of a sweep, by the state it is in."""


@pytest.mark.parametrize("asked", ["RUNNING", "PAUSED", "FINISHED", "CANCELED"])
@pytest.mark.parametrize("state", SweepState)
def test_each_state_takes_what_makes_sense(table, state, asked):
    """A sweep that has not begun can be paused, one that has ended cannot; what a sweep is already is no error."""
    sweep = table.sweep(GRID)
    if state is not SweepState.PENDING:
        table.set_state(sweep, state)
    if asked in STATES[state]:
        table.set_state(sweep, SweepState(asked))
        assert table.sweep_state(sweep) is SweepState(asked)
    else:
        with pytest.raises(RequestError, match="resume it first" if state is SweepState.FINISHED else "create a new"):
            table.set_state(sweep, SweepState(asked))
        assert table.sweep_state(sweep) is state


def test_sweep_paused_before_it_begins_waits_with_its_first_agent(table):
    """Its agents stay and get nothing; resumed, they get runs."""
    sweep = table.sweep(GRID)
    table.set_state(sweep, SweepState.PAUSED)
    agent = table.agent(sweep)
    assert table.beat(agent).kind == "wait"
    table.set_state(sweep, SweepState.RUNNING)
    assert table.beat(agent).kind == "run"


def test_canceled_sweep_cannot_be_resumed(table):
    """Nothing brings a canceled sweep back."""
    sweep = table.sweep(GRID)
    table.set_state(sweep, SweepState.CANCELED)
    with pytest.raises(RequestError, match="create a new one"):
        table.set_state(sweep, SweepState.RUNNING)


def test_exhausted_grid_sends_the_agent_home_and_finishes(table):
    """After the last point of a grid its agent exits and the sweep is FINISHED."""
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    for _ in range(3):
        run = table.given(agent)
        table.start(run)
        table.complete(run)
    assert table.sweep_state(sweep) is SweepState.FINISHED
    assert table.beat(agent).kind == "exit"


def test_resumed_sweep_that_is_complete_finishes_again(table):
    """Resuming a sweep that has given out everything ends with FINISHED once more."""
    sweep = table.sweep({**RANDOM, "run_cap": 1})
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.complete(run)
    table.set_state(sweep, SweepState.RUNNING)
    assert table.beat(agent).kind == "exit"
    assert table.sweep_state(sweep) is SweepState.FINISHED


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


def test_a_run_that_failed_has_not_reached_the_target(ahead):
    """Whatever it had logged: the sweep goes on."""
    sweep = ahead.sweep({**BAYES, "metric": {**METRIC, "target": 0.1}})
    run = ahead.given(ahead.agent(sweep))
    ahead.start(run)
    ahead.log(run, 0.05)
    ahead.complete(run, 1)
    assert ahead.beat(ahead.agent(sweep)).kind == "run"


def test_an_end_that_was_found_before_the_run_failed_is_none(table):
    """The search is asked again, and knows better."""
    sweep = table.sweep({**BAYES, "metric": {**METRIC, "target": 0.1}})
    run = table.given(table.agent(sweep))
    table.start(run)
    table.log(run, 0.05)
    with table.store.write() as db:
        suggestions.put(db, sweep.id, NumberedSuggestion.of(2, None, seed=1, based_on=0))
    table.complete(run, 1)
    assert table.beat(table.agent(sweep)).kind == "run"


@pytest.mark.parametrize(("last", "over"), [(0.05, True), (0.9, False)])
def test_an_aggregate_reaches_the_target_at_the_end(table, last, over):
    """The maximum so far may still rise; it is the last one that counts."""
    sweep = table.sweep({**RANDOM, "metric": {"name": "loss.max", "goal": "minimize", "target": 0.1}})
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.log(run, 0.01, last)
    assert table.beat(table.agent(sweep)).kind == "run"
    table.complete(run)
    assert (table.beat(agent).kind == "run") is not over


def test_a_prior_runs_value_is_not_the_target(ahead):
    """A sweep whose attached run is as good as the target goes on: its own runs count."""
    old = ahead.sweep(RANDOM)
    run = ahead.given(ahead.agent(old))
    ahead.start(run)
    ahead.log(run, 0.0)
    ahead.complete(run)
    new = ahead.sweep({**BAYES, "metric": {**METRIC, "target": 0.1}})
    with ahead.store.write() as db:
        prior_runs.attach(db, new, json.dumps({"name": run.name}))
    assert ahead.beat(ahead.agent(new)).kind == "run"


@pytest.mark.parametrize(("loss", "state"), [(0.5, SweepState.RUNNING), (0.1, SweepState.FINISHED)])
def test_a_run_that_reaches_all_targets_ends_the_sweep(table, loss, state):
    """One target of two is not enough."""
    sweep = table.sweep(TWO)
    run = table.given(table.agent(sweep))
    table.start(run)
    with table.store.write() as db:
        runs.update(db, run.id, summary=json.dumps({"loss": loss, "val.acc": 0.9}))
    table.complete(run)
    assert table.sweep_state(sweep) is state


def test_a_sweep_that_ran_out_opens_again_for_a_retry(table):
    """A finished grid gives out its failed run once more, and finishes with it."""
    sweep = table.sweep({**GRID, "parameters": {"lr": {"values": [0.1]}}})
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.complete(run, 1)
    assert table.beat(agent).kind == "exit"
    with table.store.write() as db:
        run_endings.requeue(db, table.read(run), now=table.now)
    command = table.beat(table.agent(sweep))
    assert (command.kind, command.run.id) == ("resume", run.id)
    table.start(run)
    table.complete(run)
    assert table.sweep_state(sweep) is SweepState.FINISHED


@pytest.mark.parametrize(("end", "word"), [(SweepState.CANCELED, "canceled"), (SweepState.FINISHED, "sweeper resume")])
def test_a_sweep_that_a_person_ended_stays_so(table, end, word):
    """A retry does not start what somebody stopped."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    table.start(run)
    table.complete(run, 1)
    table.set_state(sweep, end)
    with pytest.raises(RequestError, match=word), table.store.write() as db:
        run_endings.requeue(db, table.read(run), now=table.now)
