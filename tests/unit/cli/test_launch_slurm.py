"""`sweeper launch --on slurm`: what is told before anything is submitted. tests/slurm launches on a real one."""

from __future__ import annotations

import pytest

from sweeper.cli.launch_slurm import check_time
from sweeper.errors import LaunchError, UsageError
from sweeper.launch.cluster_request import ClusterRequest


def test_a_machine_without_slurm_is_told_of(sweeper, home, monkeypatch):
    """Before a server is started."""
    monkeypatch.setenv("PATH", str(home))
    error = sweeper("launch", "--on", "slurm", "--gpus", "2").exception
    assert isinstance(error, LaunchError)
    assert "no sbatch on PATH" in error.message
    assert not (home / "server").exists()


def test_a_time_limit_leaves_time_for_a_run():
    """Runs are warned before it, and Slurm looks at limits now and then only."""
    check_time(ClusterRequest(workers=1, time_s=3600, server_time_s=3600), 30)
    with pytest.raises(UsageError, match="too short"):
        check_time(ClusterRequest(workers=1, time_s=60), 30)
    with pytest.raises(UsageError, match="--server-time"):
        check_time(ClusterRequest(workers=1, server_time_s=60), 30)
