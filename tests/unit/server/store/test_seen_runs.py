"""Runs as search and early termination take them."""

from __future__ import annotations

import json
import math

import pytest

from sweeper.run import RunState
from sweeper.search import Reached
from sweeper.server.store import lines, runs, seen_runs
from sweeper.server.store.lines import HistoryLine


@pytest.fixture
def log(db):
    """What lets a run log values of a sweep's metric from its first line on."""

    def put(sweep, run, *values):
        rows = [HistoryLine(number, "", {"loss": value}) for number, value in enumerate(values)]
        lines.put_metric(db, sweep.id, run.id, "loss", rows)

    return put


@pytest.fixture
def seen(db, make_run, make_sweep):
    """What shows how a new sweep sees a new run of its own in a state, with a summary."""

    def look(state, summary, **definition):
        sweep = make_sweep(**definition)
        run = make_run(f"r-{state}-{sweep.id}", state, sweep_id=sweep.id, params="{}", summary=json.dumps(summary))
        return seen_runs.get(db, sweep, run.id)

    return look


@pytest.fixture
def ask_others(db, make_run, make_sweep, log):
    """What asks for the others of `own` in a sweep whose runs logged these values."""

    def ask(goal, **logged):
        sweep = make_sweep(metric={"name": "loss", "goal": goal})
        made = {name: make_run(name, sweep_id=sweep.id) for name in logged}
        for name, values in logged.items():
            log(sweep, made[name], *values)
        return seen_runs.others_at(db, sweep, made["own"].id)

    return ask


def test_search_is_given_all_runs_with_their_metric(db, make_run, make_sweep, log):
    """Attached ones come as prior, with the sweep's parameters from their config; one by one they are the same."""
    sweep = make_sweep()
    prior = make_run("old", RunState.FINISHED, config='{"lr": {"value": 0.25}, "other": {"value": 1}}')
    db.execute("INSERT INTO prior_runs VALUES (?, ?)", (sweep.id, prior.id))
    own = runs.propose(db, sweep, {"lr": 0.5}, now=0)
    log(sweep, prior, 3.0, 2.0)
    log(sweep, own, 1.0)
    found = seen_runs.for_search(db, sweep)
    assert [(run.prior, run.params, run.history) for run in found] == [
        (True, {"lr": 0.25}, (3.0, 2.0)),
        (False, {"lr": 0.5}, (1.0,)),
    ]
    assert [seen_runs.get(db, sweep, run.id) for run in (prior, own)] == found


@pytest.mark.parametrize(
    ("state", "logged", "history"),
    [
        (RunState.FINISHED, 0.5, (0.5,)),
        (RunState.RUNNING, 0.5, ()),
        (RunState.FINISHED, "x", ()),
        (RunState.FAILED, None, ()),
    ],
)
def test_a_summary_stands_in_for_an_ended_run_that_logged_nothing(seen, state, logged, history):
    """A trainer may set the summary alone; while it runs nobody knows whether it will still log."""
    assert seen(state, {"loss": logged}).history == history


def test_several_metrics_are_those_of_a_finished_runs_summary(seen):
    """Values of a run belong together, so they are its last ones."""
    several = {"method": "custom", "metric": None, "metrics": [{"name": "loss"}, {"name": "size"}]}
    summary = {"loss": 1.0, "size": 2.0}
    assert seen(RunState.FINISHED, summary, **several).values == (1.0, 2.0)
    assert seen(RunState.RUNNING, summary, **several).values == ()


def test_a_judged_run_knows_what_is_new(db, make_run, make_sweep, log):
    """`before` counts the values up to the delivery and `now` all of them; NaN is no iteration."""
    sweep = make_sweep()
    run = make_run("r", sweep_id=sweep.id)
    log(sweep, run, 3.0, math.nan, 2.0, 4.0)
    judged = seen_runs.for_judging(db, sweep, run, since_line=2)
    assert (judged.id, judged.before, judged.now, judged.nonfinite) == ("r", 1, 3, 0)
    assert judged.at(3) == Reached(4.0, 2.0)
    assert seen_runs.for_judging(db, sweep, run, since_line=None).before == 3
    lost = make_run("nan", sweep_id=sweep.id)
    log(sweep, lost, math.nan, math.nan)
    assert seen_runs.for_judging(db, sweep, lost, since_line=0).nonfinite == 2


@pytest.mark.parametrize(("goal", "best"), [("minimize", 1.0), ("maximize", 3.0)])
def test_the_others_are_compared_at_the_same_iteration(ask_others, goal, best):
    """Each with its value there and its best so far, by the metric's goal; the run itself is not among them."""
    look_up = ask_others(goal, own=(9.0, 9.0, 9.0), other=(1.0, 3.0, 2.0), short=(5.0,))
    assert look_up(3) == [Reached(2.0, best)]
    assert look_up(4) == []
