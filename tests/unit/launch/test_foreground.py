"""How a launch is judged."""

from __future__ import annotations

import pytest

from sweeper.journal.attempt import Attempt, Outcome
from sweeper.launch.foreground import LaunchResult


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
    runs = (Attempt(run_id="r", slot="cpu0", outcome=outcome),)
    assert LaunchResult(runs=runs, interrupted=False, errors={}).ok is ok
    assert not LaunchResult(runs=(), interrupted=False, errors={"cpu0": "gave up"}).ok


@pytest.mark.parametrize(("planned", "ok"), [(True, True), (False, False)])
def test_a_launch_that_ended_as_planned_is_well(planned, ok):
    """A time budget interrupts runs, which go on another day; a set-up found broken is an error."""
    runs = (Attempt(run_id="r", slot="cpu0", outcome=Outcome.INTERRUPTED),)
    result = LaunchResult(runs=runs, interrupted=False, errors={}, ended="the time budget is used up", planned=planned)
    assert result.ok is ok
