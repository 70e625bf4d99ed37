"""How a station's end is read. The launcher at a real cluster: tests/ray."""

from __future__ import annotations

import pytest

from sweeper.launch.launcher import WorkerState
from sweeper.launch.ray_launcher import state_of


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (0, WorkerState.DONE),
        (1, WorkerState.FAILED),
        (3, WorkerState.DIED),
        (75, WorkerState.DIED),
        (-9, WorkerState.DIED),
    ],
)
def test_a_station_says_by_its_exit_code_how_its_worker_did(code, state):
    """One that somebody else stopped left work for another; a signal says nothing."""
    assert state_of(code, is_stopped=False) is state


def test_one_that_we_stopped_has_nothing_more_to_do():
    """Though it says that there is work left: nobody wants that done now. One that was killed has died all the same."""
    assert state_of(75, is_stopped=True) is WorkerState.DONE
    assert state_of(-9, is_stopped=True) is WorkerState.DIED
