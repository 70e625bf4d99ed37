"""Runs and their states."""

from __future__ import annotations

import pytest

from sweeper.run import (
    Digest,
    Run,
    RunState,
    StopDecision,
    SweepState,
    best_run,
    best_value,
    may_lead,
    reaches,
    sign,
    thinned,
)


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


@pytest.mark.parametrize(
    ("goal", "value", "target", "reached"),
    [
        *(("minimize", 0.1, 0.2, True), ("minimize", 0.2, 0.2, True), ("minimize", 0.3, 0.2, False)),
        *(("maximize", 0.1, 0.2, False), ("maximize", 0.2, 0.2, True), ("maximize", 0.3, 0.2, True)),
        *(("maximize", -1.0, -2.0, True), ("minimize", -1.0, -2.0, False), ("minimize", 3.0, 2.0, False)),
    ],
)
def test_a_target_is_reached_by_its_own_value_too(goal, value, target, reached):
    """In the direction of the goal."""
    assert reaches(goal, value, target) is reached


def test_the_goal_turns_values_into_losses():
    """Low losses are good; the best value is what has the lowest."""
    assert (sign("minimize"), sign("maximize")) == (1.0, -1.0)
    assert (best_value("minimize", [2, 1, 3]), best_value("maximize", [2, 1, 3])) == (1, 3)


def test_of_equal_runs_the_earliest_is_the_best():
    """In either direction: a later one only drew level."""
    runs = [Run(id=name, state=RunState.FINISHED, history=(0.5,)) for name in "abc"]
    assert best_run(runs, "minimize").id == best_run(runs, "maximize").id == "a"


def test_a_run_of_a_digest_has_the_same_values():
    """A history that was not read itself, and an aggregate, which comes before both."""
    digest = Digest(count=4, last=0.3, lowest=0.1, highest=0.9)
    run = Run(id="a", state=RunState.RUNNING, digest=digest)
    assert (run.best("minimize"), run.best("maximize"), run.last, run.iterations) == (0.1, 0.9, 0.3, 4)
    whole = Run(id="a", state=RunState.RUNNING, history=(0.5, 0.1, 0.9, 0.3))
    assert (whole.best("minimize"), whole.best("maximize"), whole.last, whole.iterations) == (0.1, 0.9, 0.3, 4)
    for one in (
        Run(id="a", state=RunState.RUNNING, digest=digest, aggregate=0.0),
        Run(id="a", state=run.state, aggregate=0.0),
    ):
        assert one.best("maximize") == one.last == 0.0
    empty = Run(id="a", state=RunState.RUNNING)
    assert (empty.best("minimize"), empty.last, empty.iterations) == (None, None, 0)


@pytest.mark.parametrize(
    ("state", "history", "nonfinite", "numberless"),
    [
        (RunState.FINISHED, (), 1, True),
        (RunState.CRASHED, (), 2, True),
        (RunState.RUNNING, (), 1, False),
        (RunState.PREEMPTED, (), 1, False),
        (RunState.FINISHED, (0.1,), 1, False),
        (RunState.FINISHED, (), 0, False),
    ],
)
def test_a_run_of_nan_alone_has_no_number(state, history, nonfinite, numberless):
    """Once it has ended: until then one may come."""
    assert Run(id="a", state=state, history=history, nonfinite=nonfinite).numberless is numberless


def test_what_a_run_is_unless_something_is_said():
    """Nothing lost, nothing stopped, of this sweep; and a stop decision names no rung of its own."""
    run = Run(id="a", state=RunState.PENDING)
    assert (run.params, run.history, run.nonfinite, run.losses, run.values, run.lacks) == ({}, (), 0, 0, (), ())
    assert (run.prior, run.stop, run.aggregate, run.digest, run.logged) == (False, None, None, None, {})
    decision = StopDecision("a", "why")
    assert (decision.rung, decision.value, decision.threshold, decision.n) == (0, None, None, 0)


def test_a_killed_run_may_lead_if_the_sweep_killed_it():
    """Not if a person did."""
    assert may_lead(RunState.KILLED, stopped_early=True)
    assert not may_lead(RunState.KILLED, stopped_early=False)
    assert may_lead(RunState.FINISHED, stopped_early=True)
    assert not may_lead(RunState.CRASHED, stopped_early=True)
    assert may_lead(RunState.PREEMPTED, stopped_early=False)


def test_the_word_of_a_sweeps_state_is_in_lower_case():
    """As a run's."""
    assert [state.word for state in SweepState] == ["pending", "running", "paused", "finished", "canceled"]


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
    assert thinned([5.0, 4.0], 1) == ((2, 4.0),)
    assert thinned([3.0, 2.0, 1.0], 3) == ((1, 3.0), (2, 2.0), (3, 1.0))
    assert [at for at, _ in thinned([0.0] * 100, 10)] == list(range(10, 101, 10))
    assert [at for at, _ in thinned([0.0] * 109, 10)] == [*range(10, 109, 10), 109]
    assert [at for at, _ in thinned([0.0] * 19, 10)] == list(range(1, 20))
    assert thinned([], 9) == ()
