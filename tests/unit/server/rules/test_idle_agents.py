"""What a worker without a run waits for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.run import SweepState
from sweeper.server.rules import run_endings
from sweeper.server.rules.idle_agents import SETTLED_S, GroupOutlook, Idling, Outlook, idle_at, outlook
from sweeper.server.rules.joint_count import JointCount
from sweeper.server.store import counted_runs

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"x": {"values": [1, 2]}}}
IDLE = Idling(sweep_id=1, state=SweepState.RUNNING, runs=4, goes_home=True)
SAME = {"state": SweepState.RUNNING, "runs": 4, "unstarted": 1, "waiting": 0, "ready": 0}


@pytest.mark.parametrize(
    ("idle", "now", "ends"),
    [
        ({}, {}, False),
        ({}, {"unstarted": 0}, True),  # nothing is left
        ({}, {"unstarted": 0, "waiting": 1}, False),  # a run that has just come back is somebody's in a moment
        ({"goes_home": False}, {"unstarted": 0}, False),  # its scheduler may propose another run
        ({}, {"runs": 3}, True),  # an offer was withdrawn: its configuration is free
        ({}, {"runs": 5}, False),
        ({}, {"changed_at": 2.0}, True),  # another file may have more to give
        ({}, {"state": SweepState.FINISHED}, True),
        ({}, {"state": SweepState.PAUSED, "unstarted": 0}, True),
        ({"state": SweepState.PAUSED}, {"state": SweepState.PAUSED, "unstarted": 0, "runs": 3}, False),
        ({"state": SweepState.PAUSED}, {}, True),
        # whose group has had its runs waits for the last of these, whatever becomes of others
        ({"group": "a", "goes_home": False}, {"groups": {"a": GroupOutlook(1)}, "unstarted": 0}, False),
        ({"group": "a", "goes_home": False}, {"groups": {"a": GroupOutlook(0)}}, True),
    ],
)
def test_what_ends_the_waiting_of_all(idle, now, ends):
    """A pause and its end, the end of the sweep, and what makes room."""
    before = Idling(**{"sweep_id": 1, "state": IDLE.state, "runs": IDLE.runs, "goes_home": True, **idle})
    assert Outlook(**{**SAME, **now}).ends(before) is ends


def test_as_many_are_called_as_there_are_runs():
    """None of a paused sweep."""
    seen = Outlook(**{**SAME, "ready": 2, "groups": {"a": GroupOutlook(1, 1)}})
    assert (seen.places(), seen.places("a")) == (2, 1)
    paused = replace(seen, state=SweepState.PAUSED)
    assert (paused.places(), paused.places("a")) == (0, 0)


def begun(table, sweep):
    """A run that has begun."""
    run = table.given(table.agent(sweep))
    table.start(run)
    return run


def worker(table, sweep):
    """A worker's first question; what it waits for if there is no run."""
    agent = table.dispatcher.register(sweep, "host", now=table.now).name
    return table.dispatcher.heartbeat(agent, set(), now=table.now, early=False)


def test_only_an_idle_worker_waits(table):
    """A stock agent at whose end we would be waited for does not, nor one that lists a run."""
    sweep = table.sweep(GRID)
    for _ in range(2):
        busy = table.agent(sweep)
        run = table.given(busy)
    assert table.beat(table.agent(sweep)).idle is None
    assert worker(table, sweep).idle == Idling(sweep.id, SweepState.RUNNING, runs=2, goes_home=True, changed_at=1000)
    assert table.dispatcher.heartbeat(busy, {run.name}, now=table.now, early=False).idle is None


def test_a_worker_of_a_sweep_that_is_over_is_sent_home_at_once(table):
    """Its first question is answered so: nothing can come back."""
    sweep = table.sweep(GRID)
    for _ in range(2):
        table.complete(begun(table, sweep))
    assert worker(table, sweep).kind == "exit"


def test_a_run_that_came_back_is_there_for_others_after_a_moment(table):
    """Whose process is killed with its launch is still heard for a moment, and would take the run along."""
    sweep = table.sweep(GRID)
    run = table.read(begun(table, sweep))
    with table.store.write() as db:
        run_endings.requeue(db, run, now=table.now)
        assert outlook(db, sweep.id, now=table.now) == Outlook(
            SweepState.RUNNING, 1, 0, waiting=1, ready=0, changed_at=1000
        )
        assert outlook(db, sweep.id, now=table.now + SETTLED_S).ready == 1


def test_a_scheduler_keeps_workers(table):
    """It may propose a run at any time, and the sweep says when it is over."""
    sweep = table.sweep({**GRID, "method": "custom", "scheduler": {"engine": "optuna"}})
    with table.store.read() as db:
        assert not idle_at(db, sweep.id).goes_home


def test_a_pause_is_waited_out(table):
    """What was asked of the sweep is seen."""
    sweep = table.sweep(GRID)
    table.agent(sweep)
    table.set_state(sweep, SweepState.PAUSED)
    found = worker(table, sweep).idle
    assert found is not None
    assert found.state is SweepState.PAUSED


def test_who_joined_by_hand_waits_for_the_last_run_and_a_full_group_for_its_own(table):
    """Only the group is looked at that was asked for."""
    sweep = table.sweep(GRID)
    run = begun(table, sweep)
    joint = JointCount("a", 1)
    with table.store.write() as db:
        assert (idle_at(db, sweep.id, joint).goes_home, idle_at(db, sweep.id, joint).group) == (False, "")
        counted_runs.note(db, table.read(run), "a")
        assert idle_at(db, sweep.id, joint).group == "a"
        assert outlook(db, sweep.id, now=table.now, groups={"a", "b"}).groups == {
            "a": GroupOutlook(unfinished=1),
            "b": GroupOutlook(),
        }
        run_endings.requeue(db, table.read(run), now=table.now)
    with table.store.read() as db:
        found = outlook(db, sweep.id, now=table.now + SETTLED_S, groups={"a"})
    assert found.groups == {"a": GroupOutlook(unfinished=1, ready=1)}
