"""How a launch ended that nobody stayed with."""

from __future__ import annotations

from sweeper.launch.launch_result import LaunchResult
from sweeper.launch.slurm import outcome


def test_an_end_is_read_as_it_was_written(launch):
    """None is there before; the runs stand in the folder already."""
    assert outcome.read(launch) is None
    result = LaunchResult(runs=(), interrupted=False, errors={"slurm0": "why"}, ended="budget", planned=True)
    outcome.write(launch, result)
    assert outcome.read(launch) == result
