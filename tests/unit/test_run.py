"""Runs and their states."""

from __future__ import annotations

import pytest

from sweeper.run import Run, RunState, StopDecision, SweepState, best_run, thinned


@pytest.mark.parametrize(("goal", "winner", "value"), [("minimize", "b", 0.1), ("maximize", "a", 0.9)])
def test_the_best_run_has_the_best_value_it_ever_logged(goal, winner, value):
    """Not the last value: a run that was better once was better."""
    runs = [
        Run(id="a", state=RunState.FINISHED, history=(0.9, 0.5)),
        Run(id="b", state=RunState.RUNNING, history=(0.1, 0.6)),
        Run(id="c", state=RunState.FINISHED),
    ]
    best = best_run(runs, goal)
    assert (best.id, best.best(goal)) == (winner, value)


@pytest.mark.parametrize("state", list(RunState))
def test_a_run_that_went_wrong_is_never_the_best(state):
    """Whatever it logged before it failed, crashed or was killed; unless early termination ended it."""
    bad = state in {RunState.FAILED, RunState.CRASHED, RunState.KILLED}
    run = Run(id="a", state=state, history=(0.1,))
    assert best_run([run, Run(id="b", state=RunState.FINISHED, history=(0.5,))], "minimize").id == ("b" if bad else "a")
    stopped = Run(id="a", state=state, history=(0.1,), stop=StopDecision("a", "hyperband rung 1"))
    assert stopped.may_lead is (state not in {RunState.FAILED, RunState.CRASHED})


def test_no_value_no_best_run():
    """Runs without the metric have no best."""
    assert best_run([Run(id="a", state=RunState.FINISHED)], "minimize") is None


def test_ended_states():
    """Preempted runs come back; the other terminal states do not."""
    assert {state.value for state in RunState if state.ended} == {"finished", "failed", "crashed", "killed"}
    assert {state.value for state in SweepState if state.ended} == {"FINISHED", "CANCELED"}


def test_a_history_is_thinned_evenly_up_to_its_last_value():
    """A short one stays whole."""
    assert thinned([5.0, 4.0, 3.0, 2.0, 1.0], 2) == ((2, 4.0), (4, 2.0), (5, 1.0))
    assert thinned([5.0], 9) == ((1, 5.0),)
    assert thinned([], 9) == ()
