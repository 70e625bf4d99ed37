"""Which function trains, and how a launch is judged."""

from __future__ import annotations

import pytest

from sweeper.errors import TrainerError
from sweeper.record import Outcome, RunRecord
from sweeper.verbs import LaunchResult, choose_trainer


@pytest.mark.parametrize(
    ("asked", "program", "chosen"),
    [
        (None, None, "trainer.train:train"),
        (None, "trainer/train.py", "trainer.train:train"),
        (None, "json:dumps", "json:dumps"),
        ("json:dumps", "trainer/train.py", "json:dumps"),
    ],
)
def test_the_option_wins_over_the_file_and_that_over_the_shipped_trainer(asked, program, chosen):
    """The shipped files name their script for `wandb agent`; here that is the shipped function."""
    assert choose_trainer(asked, program) == chosen


@pytest.mark.parametrize("target", ["train.py", "my_train", ":train", "json:", "no_such_module:train"])
def test_what_is_no_function_is_refused(target):
    """A user's own script is never replaced by our trainer."""
    with pytest.raises(TrainerError) as caught:
        choose_trainer(None, target)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("outcome", "ok"),
    [
        (Outcome.FINISHED, True),
        (Outcome.STOPPED, True),
        (Outcome.FAILED, False),
        (Outcome.DIED, False),
        (Outcome.INTERRUPTED, False),
        (None, False),
    ],
)
def test_a_launch_is_well_if_its_runs_are(outcome, ok):
    """Early termination is no failure; a run that failed, died or never ended is."""
    runs = (RunRecord(run_id="r", slot="cpu0", outcome=outcome),)
    assert LaunchResult(runs=runs, interrupted=False, errors={}).ok is ok
    assert not LaunchResult(runs=(), interrupted=False, errors={"cpu0": "gave up"}).ok
