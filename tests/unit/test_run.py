"""Runs and their states."""

from __future__ import annotations

import math

import pytest

from sweeper.run import Run, RunState, SweepState, best_run, finite


def test_only_finite_numbers_are_iterations():
    """NaN, infinities, booleans and text are skipped, as in W&B's engine."""
    assert finite([1, 2.5, math.nan, math.inf, -math.inf, True, "3", None]) == (1.0, 2.5)


@pytest.mark.parametrize(("goal", "winner", "value"), [("minimize", "b", 0.1), ("maximize", "a", 0.9)])
def test_the_best_run_has_the_best_value_it_ever_logged(goal, winner, value):
    """Not the last value: a run that was better once was better."""
    runs = [
        Run(id="a", state=RunState.FINISHED, history=(0.9, 0.5)),
        Run(id="b", state=RunState.RUNNING, history=(0.1, 0.6)),
        Run(id="c", state=RunState.FAILED),
    ]
    best = best_run(runs, goal)
    assert (best.id, best.best(goal)) == (winner, value)


def test_no_value_no_best_run():
    """Runs without the metric have no best."""
    assert best_run([Run(id="a", state=RunState.FINISHED)], "minimize") is None


def test_ended_states():
    """Preempted runs come back; the other terminal states do not."""
    assert {state.value for state in RunState if state.ended} == {"finished", "failed", "crashed", "killed"}
    assert {state.value for state in SweepState if state.ended} == {"FINISHED", "CANCELED"}
