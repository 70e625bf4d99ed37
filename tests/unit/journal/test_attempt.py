"""What a line about a run says."""

from __future__ import annotations

import pytest

from sweeper.journal.attempt import Attempt, AttemptOutcome, spent
from sweeper.journal.failures import Failure, Kind, Policy

STARTED = Attempt(run_id="r1", slot="gpu0", ticket=3, log="/log", attempt=2)


def test_an_end_adds_to_what_was_noted_at_the_start():
    """Without a failure there is nothing to say but how it ended."""
    ended = STARTED.ended(AttemptOutcome.FINISHED)
    assert (ended.outcome, ended.reason, ended.kind, ended.policy) == (AttemptOutcome.FINISHED, "", None, None)
    assert (ended.run_id, ended.slot, ended.ticket, ended.log, ended.attempt) == ("r1", "gpu0", 3, "/log", 2)
    failed = STARTED.ended(AttemptOutcome.DIED, Failure(Kind.CRASH, "SIGSEGV", Policy.RETRY_ELSEWHERE))
    assert (failed.reason, failed.kind, failed.policy) == ("SIGSEGV", Kind.CRASH, Policy.RETRY_ELSEWHERE)


@pytest.mark.parametrize("policy", list(Policy))
def test_a_run_waits_as_long_as_its_newest_line_hands_it_out(policy):
    """The next attempt's first line has no policy."""
    line = STARTED.ended(AttemptOutcome.DIED, Failure(Kind.CRASH, "SIGSEGV", policy))
    assert line.waits is (policy not in {Policy.FAIL, Policy.STOP})
    assert not STARTED.waits


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [
        (AttemptOutcome.FINISHED, False),
        (AttemptOutcome.STOPPED, False),
        (AttemptOutcome.INTERRUPTED, False),
        (AttemptOutcome.FAILED, True),
        (AttemptOutcome.DIED, True),
    ],
)
def test_what_was_stopped_or_interrupted_has_not_failed(outcome, failed):
    """Nothing is wrong with such a run."""
    assert STARTED.ended(outcome).failed is failed
    assert not STARTED.failed


def test_the_times_of_a_runs_attempts_add_up():
    """Of those that have ended: by the trainer's clock, or by its process's where the trainer could not tell."""
    history = [
        Attempt(run_id="a", slot="gpu0", at=1.0),
        Attempt(run_id="a", slot="gpu0", outcome=AttemptOutcome.INTERRUPTED, wall_s=9.0, trainer_s=8.0),
        Attempt(run_id="a", slot="gpu1", outcome=AttemptOutcome.DIED, wall_s=3.0),
        Attempt(run_id="b", slot="gpu0"),
    ]
    assert spent(history) == {"a": 11.0}
