"""How a worker words the end of a run."""

from __future__ import annotations

import pytest

from sweeper.errors import TrainerError
from sweeper.record import Outcome
from sweeper.run_process import Raised, Returned, Started, load_trainer
from sweeper.worker import _verdict

STARTED = Started("r1")


@pytest.mark.parametrize(
    ("messages", "exitcode", "interrupted", "outcome", "reason"),
    [
        ([STARTED, Returned(1.0)], 0, False, Outcome.FINISHED, ""),
        ([STARTED, Raised(1.0, "ValueError: no", stopped=False)], 0, False, Outcome.FAILED, "ValueError: no"),
        ([STARTED, Raised(1.0, "Exception", stopped=True)], 0, False, Outcome.STOPPED, ""),
        ([STARTED], -9, False, Outcome.DIED, "SIGKILL, perhaps for lack of memory"),
        ([STARTED], -11, False, Outcome.DIED, "SIGSEGV"),
        ([STARTED], 3, False, Outcome.DIED, "code 3"),
        ([STARTED, Raised(1.0, "Error: finished", stopped=False)], 0, True, Outcome.INTERRUPTED, "stop of the launch"),
        ([STARTED, Returned(1.0)], 0, True, Outcome.FINISHED, ""),
    ],
)
def test_every_end_has_its_outcome_and_cause(messages, exitcode, interrupted, outcome, reason):
    """What the process said, and how it died, give one outcome and one reason."""
    record = _verdict(messages, exitcode, interrupted=interrupted)
    assert record.run_id == "r1"
    assert record.outcome is outcome
    assert reason in record.reason
    assert bool(record.reason) is bool(reason)


def test_a_process_without_a_run_leaves_no_record():
    """The server had nothing to give."""
    assert _verdict([], 0, interrupted=False) is None


@pytest.mark.parametrize("target", ["nowhere.at_all:train", "json:no_such_function", "json:__doc__"])
def test_a_trainer_that_is_none_is_named(target):
    """Module or function, the error says which is missing."""
    with pytest.raises(TrainerError, match=r"nowhere\.at_all|no_such_function|__doc__"):
        load_trainer(target)


def test_a_trainer_is_any_function():
    """`package.module:function` is enough."""
    assert load_trainer("json:dumps").__name__ == "dumps"
