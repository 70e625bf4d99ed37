"""What a run logged, seen as the metrics of its sweep."""

from __future__ import annotations

import pytest

from sweeper.definition.run_metrics import measured
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState

SPACE = "\nparameters: {lr: {min: 0.0, max: 1.0}}"
SEVERAL = "method: bayes\nmetrics: [{name: acc, goal: maximize}, {name: size}]" + SPACE


def read(name: str, values=(), *, logged=(), summary=None, state=RunState.FINISHED, text="", nonfinite=0) -> Run:
    """Read a run of a sweep that maximises a metric."""
    text = text or f"method: random\nmetric: {{name: {name}, goal: maximize}}{SPACE}"
    keys = {"keys": {key: {"typeCounts": [{"type": "number", "count": 1}]} for key in logged}}
    run = Run(id="r", state=state, history=tuple(values), nonfinite=nonfinite)
    return measured(run, SweepDefinition.from_yaml(text), keys=lambda: keys, summary=lambda: summary or {})


def test_a_metric_that_was_logged_is_its_history():
    """Best and last value follow from it."""
    run = read("acc", [0.5, 0.9, 0.7], logged=["acc"], nonfinite=1)
    assert (run.history, run.nonfinite, run.best("maximize"), run.last, run.lacks) == ((0.5, 0.9, 0.7), 1, 0.9, 0.7, ())


@pytest.mark.parametrize(("word", "value"), [("min", 0.5), ("max", 0.9), ("mean", 0.7), ("last", 0.7), ("first", 0.5)])
def test_an_aggregate_has_one_value(word, value):
    """The goal does not choose among the values again: a minimum that is maximised stays the minimum."""
    run = read(f"acc.{word}", [0.5, 0.9, 0.7], logged=["acc"])
    assert (run.best("maximize"), run.last) == (pytest.approx(value), pytest.approx(value))
    assert run.history == (0.5, 0.9, 0.7)


def test_a_key_that_only_looks_like_an_aggregate_is_itself():
    """A trainer that logs its own `acc.mean` every epoch is judged by the best of these."""
    assert read("acc.mean", [0.5, 0.9, 0.7], logged=["acc.mean"]).best("maximize") == 0.9


@pytest.mark.parametrize("state", list(RunState))
def test_a_summary_counts_when_a_run_has_ended(state):
    """As long as it runs a summary may be from before."""
    run = read("acc", summary={"acc": {"max": 0.9}}, state=state)
    assert run.best("maximize") == (0.9 if state.ended else None)


def test_a_finished_run_without_a_value_tells_what_it_logged():
    """One that failed, or that logged NaN, has another reason."""
    run = read("acc", logged=["ac", "_step"], summary={"note": "x"})
    assert (run.lacks, run.logged) == (("acc",), {"ac": "number", "note": "text"})
    assert read("acc", logged=["ac"], state=RunState.FAILED).lacks == ()
    assert read("acc", logged=["ac"], nonfinite=3).lacks == ()
    assert read("acc", summary={"acc": "NaN"}).nonfinite == 1


def test_several_metrics_are_read_from_the_summary():
    """Each that is missing is named."""
    assert read("", text=SEVERAL, summary={"acc": {"max": 0.9}, "size": 3}).values == (0.9, 3.0)
    run = read("", text=SEVERAL, summary={"acc": 0.9, "sizes": 3})
    assert (run.values, run.lacks, run.logged) == ((), ("size",), {"acc": "number", "sizes": "number"})
    assert read("", text=SEVERAL, summary={"acc": 0.9, "size": 3}, state=RunState.RUNNING).values == ()


def test_a_sweep_without_a_metric_asks_for_nothing():
    """A grid may be run for its own sake."""
    run = read("", text="method: grid\nparameters: {lr: {values: [1]}}", logged=["ac"])
    assert (run.history, run.lacks, run.logged) == ((), (), {})
