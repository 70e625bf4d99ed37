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
