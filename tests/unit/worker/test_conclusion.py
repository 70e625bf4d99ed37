"""How a worker judges the end of a run."""

from __future__ import annotations

import pytest

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.failures import Facts, Kind, Policy
from sweeper.worker.conclusion import EndedRun, conclude, failure_of
from sweeper.worker.main_thread import Raised, Returned

STARTED = Attempt(run_id="r1", slot="gpu0", ticket=3, log="/log", attempt=2)


def ended(result, facts, *, stopped=False) -> EndedRun:
    return EndedRun(started=STARTED, result=result, stopped=stopped, wall_s=2.00049, facts=facts, log_tail=("last",))


@pytest.mark.parametrize(
    ("result", "facts", "stopped", "outcome", "kind"),
    [
        (Returned(1.0), Facts(), False, AttemptOutcome.FINISHED, None),
        (Returned(1.0), Facts(exit_code=-9), True, AttemptOutcome.FINISHED, None),
        (Returned(1.0), Facts(unsent="lost"), False, AttemptOutcome.FAILED, Kind.CONNECTION),
        (Returned(1.0), Facts(exit_code=-9, unsent="lost"), False, AttemptOutcome.DIED, Kind.CONNECTION),
        (Returned(1.0), Facts(unsent="lost"), True, AttemptOutcome.FINISHED, None),
        (Returned(1.0, "never"), Facts(unbegun="never"), False, AttemptOutcome.FAILED, Kind.UNBEGUN),
        (Raised(1.0, "E: no"), Facts(exit_code=1, error="E: no"), False, AttemptOutcome.FAILED, Kind.EXCEPTION),
        (Raised(1.0, ""), Facts(exit_code=1), True, AttemptOutcome.STOPPED, None),
        (None, Facts(exit_code=-9), True, AttemptOutcome.STOPPED, None),
        (None, Facts(exit_code=-9), False, AttemptOutcome.DIED, Kind.HOST_MEMORY),
        (None, Facts(exit_code=-15), False, AttemptOutcome.INTERRUPTED, Kind.PREEMPTED),
    ],
)
def test_every_end_has_its_outcome(result, facts, stopped, outcome, kind):
    """A trainer that returned is done, whatever came after; a stop of the server's is no failure."""
    run = ended(result, facts, stopped=stopped)
    failure = failure_of(run)
    attempt = conclude(run, failure)
    assert (attempt.outcome, attempt.kind) == (outcome, kind)
    assert bool(failure) is bool(kind)
    assert bool(attempt.reason) is bool(attempt.policy) is bool(kind)


def test_an_attempt_says_where_and_how_long_it_ran():
    """What was noted at its start stays; times are in seconds, to the millisecond."""
    run = ended(Returned(1.23456), Facts())
    attempt = conclude(run, None)
    assert (attempt.run_id, attempt.slot, attempt.ticket, attempt.log, attempt.attempt) == ("r1", "gpu0", 3, "/log", 2)
    assert (attempt.wall_s, attempt.trainer_s) == (2.0, 1.235)


def test_only_a_failure_shows_the_end_of_its_log():
    """What a run that finished printed last is of no interest to anyone."""
    well, ill = ended(Returned(1.0), Facts()), ended(None, Facts(exit_code=-11))
    assert conclude(well, failure_of(well)).log_tail == ()
    assert conclude(ill, failure_of(ill)).log_tail == ("last",)


def test_a_refused_retry_is_written_as_the_failure_it_became():
    """The server's word is part of the decision, not a correction of it."""
    run = ended(None, Facts(exit_code=-9))
    failure = failure_of(run)
    assert failure is not None
    assert conclude(run, failure).policy is Policy.RETRY_HERE
    attempt = conclude(run, failure.not_retried("no"))
    assert (attempt.outcome, attempt.policy) == (AttemptOutcome.DIED, Policy.FAIL)
    assert attempt.reason.endswith("not retried: no")
