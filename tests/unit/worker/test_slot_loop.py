"""How a worker judges the end of a run, and what it finds to call."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sweeper.errors import TrainerError
from sweeper.journal.attempt import AttemptOutcome
from sweeper.journal.failures import Facts, Kind
from sweeper.worker.main_thread import Raised, Returned
from sweeper.worker.run_process import load_trainer
from sweeper.worker.slot_loop import last_lines, verdict


@dataclass
class Ended:
    """A process that has ended."""

    result: Returned | Raised | None
    run_id: str = "r1"


@pytest.mark.parametrize(
    ("result", "facts", "stopped", "outcome", "kind"),
    [
        (Returned(1.0), Facts(), False, AttemptOutcome.FINISHED, None),
        (Returned(1.0), Facts(exit_code=-9), True, AttemptOutcome.FINISHED, None),
        (
            Raised(1.0, "ValueError: no"),
            Facts(exit_code=1, error="ValueError: no"),
            False,
            AttemptOutcome.FAILED,
            "exception",
        ),
        (Raised(1.0, ""), Facts(exit_code=1), True, AttemptOutcome.STOPPED, None),
        (None, Facts(exit_code=-9), True, AttemptOutcome.STOPPED, None),
        (None, Facts(exit_code=-9), False, AttemptOutcome.DIED, Kind.HOST_MEMORY),
        (None, Facts(exit_code=-15), False, AttemptOutcome.INTERRUPTED, Kind.PREEMPTED),
    ],
)
def test_every_end_has_its_outcome(result, facts, stopped, outcome, kind):
    """A trainer that returned is done, whatever came after; a stop of the server's is no failure."""
    attempt, failure = verdict(Ended(result), facts, stopped=stopped)
    assert (attempt.run_id, attempt.outcome, attempt.kind) == ("r1", outcome, kind)
    assert bool(failure) is bool(kind)
    assert bool(attempt.reason) is bool(kind)


def test_the_last_lines_of_a_log_are_the_trainers_own(tmp_path):
    """What the SDK prints at the end of a run does not hide the traceback."""
    log = tmp_path / "log"
    log.write_text("".join(f"{i}\n" for i in range(20)) + "ValueError: no\n\nwandb: View run at ...\n")
    assert last_lines(log)[-2:] == ("19", "ValueError: no")
    assert len(last_lines(log)) == 10


@pytest.mark.parametrize("target", ["nowhere.at_all:train", "json:no_such_function", "json:__doc__"])
def test_a_trainer_that_is_none_is_named(target):
    """Module or function, the error says which is missing."""
    with pytest.raises(TrainerError, match=r"nowhere\.at_all|no_such_function|__doc__"):
        load_trainer(target)


def test_a_trainer_is_any_function():
    """`package.module:function` is enough."""
    assert load_trainer("json:dumps").__name__ == "dumps"
