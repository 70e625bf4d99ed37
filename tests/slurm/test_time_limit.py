"""Time limits that are reached, by workers and by the server's job: Slurm warns, and the same run ids go on."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]


def test_runs_outlive_the_limits_of_their_jobs(here):
    """Two minutes each, which Slurm measures itself: no run is lost, and none is begun twice at a time."""
    here.grid(2)
    end = here.until_told()
    here.launch("--gpus", 2, "--grace", 5, "--time", "2m", "--server-time", "2m")
    here.wait(lambda: len(here.runs()) >= 4, "both runs again, in other jobs", 300)
    here.wait(lambda: len(list(here.directory.path.glob("head-*.log"))) > 1, "another head", 120)
    end()
    here.await_end(240)
    assert here.result()["errors"] == {}
    logged = {run[0]: list(range(run[5])) for run in here.runs(ended=True)}
    assert {run[0] for run in here.runs()} == set(logged)
    assert len(logged) == 2
    assert here.rows() == logged
