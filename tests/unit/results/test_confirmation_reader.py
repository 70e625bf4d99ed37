"""Confirming sweeps as they are; what is read of a real server, tests/unit/results/test_confirm.py has."""

from __future__ import annotations

import pytest

from sweeper.backend.sweep_view import SweepView
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.ref import SweepRef
from sweeper.results.confirmation_reader import ConfirmingSweep
from sweeper.run import Run, RunState, SweepState

FILE = SweepDefinition.from_yaml("method: grid\nparameters: {a: {value: 1}, seed: {values: [1, 2]}}")
POINTS = ({"a": 1, "seed": 1}, {"a": 1, "seed": 2})


def sweep(state: SweepState, *runs: RunState) -> ConfirmingSweep:
    made = tuple(Run(id=str(n), state=one, params=POINTS[n]) for n, one in enumerate(runs))
    ref = SweepRef("local", "p", "c1")
    return ConfirmingSweep(SweepView(ref=ref, definition=FILE, url="", state=state, runs=made), POINTS, "seed")


@pytest.mark.parametrize(
    ("state", "ended", "goes_on"),
    [
        (SweepState.FINISHED, RunState.FINISHED, False),
        (SweepState.FINISHED, RunState.FAILED, False),
        (SweepState.FINISHED, RunState.CRASHED, True),
        (SweepState.FINISHED, RunState.RUNNING, True),
        (SweepState.RUNNING, RunState.FINISHED, False),
        (SweepState.CANCELED, RunState.CRASHED, False),
    ],
)
def test_a_launch_takes_up_what_lost_its_process(state, ended, goes_on):
    """A server may take a sweep for finished whose last run was killed; what failed waits for `sweeper retry`."""
    assert sweep(state, RunState.FINISHED, ended).goes_on is goes_on


@pytest.mark.parametrize("state", [SweepState.PENDING, SweepState.RUNNING, SweepState.PAUSED])
def test_runs_that_were_not_given_out_yet_are_to_come(state):
    """Of a sweep that was stopped or canceled they are not."""
    assert sweep(state, RunState.FINISHED).goes_on
    assert not sweep(SweepState.FINISHED, RunState.FINISHED).goes_on
