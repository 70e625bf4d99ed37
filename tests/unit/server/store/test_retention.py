"""Which sweeps are over since when; what others need of them: tests/unit/server/rules/test_retention.py."""

from __future__ import annotations

import pytest

from sweeper.run import RunState, SweepState
from sweeper.server.store import retention, runs, sweep_runs, sweeps


@pytest.fixture
def ended(db, make_sweep, make_run):
    """What makes a sweep that ended at a time, with runs that ended at others."""
    number = iter(range(100))

    def make(at, *ends, state=SweepState.FINISHED):
        sweep = make_sweep()
        sweeps.set_state(db, sweep.id, state, now=at)
        for end in ends:
            run = make_run(f"r{next(number)}", RunState.FINISHED, sweep_id=sweep.id)
            runs.update(db, run.id, ended_at=end)
        return sweeps.get(db, sweep.id)

    return make


def found(db, project, before, **more):
    return [one.id for one in retention.over(db, [project.id], before=before, **{"after": 0, "limit": 10, **more})]


def test_a_sweep_is_over_since_its_last_run_ended_or_somebody_changed_it(db, project, ended):
    """Before a time: not at it."""
    by_run, by_sweep, without = ended(10.0, 5.0, 20.0), ended(20.0, 5.0), ended(20.0)
    for sweep in (by_run, by_sweep, without):
        assert retention.ended_at(db, sweep) == 20.0
        assert not retention.is_over(db, sweep.id, before=20.0)
        assert retention.is_over(db, sweep.id, before=20.5)
    assert found(db, project, 20.0) == []
    assert found(db, project, 20.5) == [by_run.id, by_sweep.id, without.id]
    assert found(db, project, 20.5, limit=2) == [by_run.id, by_sweep.id]
    assert found(db, project, 20.5, after=by_run.id) == [by_sweep.id, without.id]
    assert retention.over(db, [], before=99.0, after=0, limit=9) == []
    assert not retention.is_over(db, 999, before=99.0)


@pytest.mark.parametrize("state", [SweepState.PENDING, SweepState.RUNNING, SweepState.PAUSED])
def test_a_sweep_that_has_not_ended_is_not_over(db, project, ended, state):
    """However long it has been silent, which is told of it."""
    sweep = ended(10.0, 5.0, state=state)
    assert found(db, project, 1e6) == []
    assert retention.silent(db, [project.id], before=10.5) == [sweep.name]
    assert retention.silent(db, [project.id], before=10.0) == retention.silent(db, [], before=99.0) == []


def test_a_sweep_is_not_silent_whose_agent_or_run_was_heard(db, project, ended, make_run):
    """Its agents' beats are its own."""
    beaten, busy, late = (ended(10.0, state=SweepState.RUNNING) for _ in range(3))
    db.execute("UPDATE sweeps SET heartbeat_at = 50 WHERE id = ?", (beaten.id,))
    run = make_run("busy", RunState.RUNNING, sweep_id=busy.id)
    runs.update(db, run.id, heartbeat_at=50.0)
    runs.update(db, make_run("late", RunState.FINISHED, sweep_id=late.id).id, ended_at=50.0)
    assert retention.silent(db, [project.id], before=50.0) == []
    assert len(retention.silent(db, [project.id], before=50.5)) == 3


@pytest.mark.parametrize("state", ["pending", "running", "preempting", "preempted"])
def test_a_canceled_sweep_whose_run_still_ends_is_not_over(db, project, ended, make_run, state):
    """It has not ended, whatever became of its sweep."""
    sweep = ended(10.0, 5.0, state=SweepState.CANCELED)
    assert found(db, project, 11.0) == [sweep.id]
    make_run("busy", RunState(state), sweep_id=sweep.id)
    assert found(db, project, 1e6) == []


def test_who_learns_from_a_run_needs_it_until_over(db, ended):
    """A learner that is over as long as what it learned from needs nothing any more."""
    ended(10.0, 5.0)
    learner = ended(30.0)
    (run,) = runs.where(db, "name = ?", ("r0",))
    sweep_runs.attach(db, learner.id, run.id)
    assert retention.leaning(db, [run.id], before=30.0) == {run.id: [learner.name]}
    assert retention.leaning(db, [run.id], before=31.0) == retention.leaning(db, [], before=0.0) == {}


def test_only_texts_that_may_confirm_are_read(db, project, make_sweep):
    """Of a year of sweeps hardly any."""
    make_sweep()
    other = make_sweep(description="confirms abc with other values of seed")
    assert [one.id for one in retention.may_confirm(db, [project.id])] == [other.id]
    assert retention.may_confirm(db, []) == []
