"""When a run's process is asked to end, and when it is made to."""

from __future__ import annotations

from signal import SIGINT, SIGKILL, SIGTERM

import pytest

from sweeper.journal.failures import EndedBy
from sweeper.worker.spec import Rules
from sweeper.worker.stop_grace import STOP_GRACE_S, StopGrace

RULES = Rules(grace_s=30.0, timeout_s=100.0)


def at(now, grace, **known):
    facts = {"preempted": False, "done": False, "stopped": False, "started_at": 0.5, **known}
    return grace.next_signal(now, **facts)


def test_a_run_that_nothing_is_wrong_with_is_left_alone():
    """No signal and no deadline, however long it takes where there is no timeout."""
    grace = StopGrace(Rules(timeout_s=None))
    assert at(1e6, grace) is None
    assert (grace.deadline, grace.ended_by) == (None, None)


@pytest.mark.parametrize(
    ("known", "asks", "grace_s", "ended_by"),
    [
        ({"preempted": True}, SIGTERM, 30.0, EndedBy.PREEMPTION),
        ({"done": True}, None, 30.0, None),
        ({"stopped": True}, None, STOP_GRACE_S, None),
        ({"rank_failed": True}, SIGINT, 30.0, EndedBy.RANK),
        ({"started_at": -1e3}, SIGINT, 30.0, EndedBy.TIMEOUT),
    ],
)
def test_each_reason_to_end_has_its_signal_and_its_grace(known, asks, grace_s, ended_by):
    """It is asked once, then left to end, then killed as often as it takes."""
    grace = StopGrace(RULES)
    assert at(10.0, grace, **known) is asks
    assert (grace.deadline, grace.ended_by) == (10.0 + grace_s, ended_by)
    assert at(10.0 + grace_s, grace, **known) is None
    assert at(10.1 + grace_s, grace, **known) is SIGKILL
    assert at(10.2 + grace_s, grace, **known) is SIGKILL


def test_the_first_reason_counts():
    """A run that was just done when the launch was stopped has not been preempted."""
    grace = StopGrace(RULES)
    at(1.0, grace, done=True)
    assert at(2.0, grace, done=True, preempted=True) is None
    assert grace.ended_by is None


def test_a_timeout_counts_from_the_trainers_start():
    """Importing and waiting for a run are not its time."""
    grace = StopGrace(RULES)
    assert at(1e6, grace, started_at=None) is None
    assert at(100.4, grace) is None
    assert at(100.6, grace) is SIGINT


def test_a_short_grace_is_also_that_of_a_stopped_run():
    """`--grace 2` is kept whoever ends the run."""
    grace = StopGrace(Rules(grace_s=2.0))
    at(1.0, grace, stopped=True)
    assert grace.deadline == 3.0


def test_a_run_that_has_something_to_send_waits_for_its_server():
    """Killed, it would lose what it logged last; with the server back it has one more grace, and no other."""
    grace = StopGrace(RULES)
    at(1.0, grace, done=True, away=lambda: True)
    assert at(31.1, grace, done=True, away=lambda: True) is None
    assert grace.deadline == pytest.approx(61.1)
    assert at(61.2, grace, done=True, away=lambda: False) is SIGKILL


def test_a_stop_of_the_launch_waits_for_no_server():
    """Ctrl-C ends the waiting when the grace that runs is over."""
    grace = StopGrace(RULES)
    at(1.0, grace, done=True)
    assert at(31.0, grace, done=True, preempted=True, away=lambda: True) is None
    assert at(31.1, grace, done=True, preempted=True, away=lambda: True) is SIGKILL


@pytest.mark.parametrize("known", [{"preempted": True}, {"stopped": True}, {"started_at": -1e3}])
def test_a_run_that_is_told_to_end_waits_for_no_server(known):
    """What it would still send is of no use, or comes with its next attempt."""
    grace = StopGrace(RULES)
    at(10.0, grace, **known)
    assert at(1e3, grace, away=lambda: True) is SIGKILL


def test_a_long_grace_is_not_that_of_a_run_that_the_server_has_stopped():
    """`--grace 300` is for checkpoints: what a stopped run still does is of no use to the sweep."""
    grace = StopGrace(Rules(grace_s=300.0))
    at(1.0, grace, stopped=True)
    assert grace.deadline == 1.0 + STOP_GRACE_S


def test_a_stubborn_run_is_killed_when_its_timeout_and_its_grace_are_over():
    """It ignores SIGINT; the launch that is stopped meanwhile gives it no second grace, and its reason stays."""
    grace = StopGrace(RULES)
    assert at(100.5, grace) is None
    assert at(100.6, grace) is SIGINT
    assert at(120.0, grace, preempted=True) is None
    assert at(130.6, grace, preempted=True) is None
    assert at(130.7, grace, preempted=True) is SIGKILL
    assert grace.ended_by is EndedBy.TIMEOUT


def test_a_preempted_run_that_does_not_end_is_killed_and_still_preempted():
    """It had its grace; its next attempt is nobody's fault."""
    grace = StopGrace(RULES)
    assert at(5.0, grace, preempted=True) is SIGTERM
    assert at(35.0, grace, preempted=True, done=True) is None
    assert at(35.1, grace, preempted=True) is SIGKILL
    assert grace.ended_by is EndedBy.PREEMPTION


def test_a_stop_of_the_launch_comes_first():
    """A run that the server stops, and one that is over its time, go on elsewhere if the launch is stopped at once."""
    grace = StopGrace(RULES)
    assert at(1e3, grace, preempted=True, done=True, stopped=True) is SIGTERM


def test_a_process_that_only_sends_was_not_asked_to_end():
    """The other ranks of its run may then end by themselves, too."""
    grace = StopGrace(RULES)
    assert not grace.asked_to_end
    at(1.0, grace, done=True)
    assert not grace.asked_to_end
    grace = StopGrace(RULES)
    at(1.0, grace, stopped=True)
    assert grace.asked_to_end
