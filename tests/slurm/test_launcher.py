"""Jobs of a real Slurm keep the contract of all launchers."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.launcher import Launcher
from sweeper.launch.slurm.slurm_launcher import SlurmLauncher
from sweeper.launch.slurm.submission import Submission
from tests.conftest import clean_environ
from tests.unit.launch.conftest import launch, spec, stand  # noqa: F401 fixtures
from tests.unit.launch.test_launcher import LauncherContract

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(200)]


class TestSlurmLauncher(LauncherContract):
    """It keeps it."""

    @pytest.fixture
    def launcher(self, cluster, launch, stand, tmp_path, monkeypatch) -> Launcher:  # noqa: F811
        """One whose jobs have a stand-in for the worker."""
        for name, value in cluster.environ.items():
            monkeypatch.setenv(name, value)
        environ = {**clean_environ(tmp_path), **cluster.environ, "WANDB_BASE_URL": "http://127.0.0.1:1"}
        environ["PYTHONPATH"] = f"{stand}{os.pathsep}{tmp_path}"
        submission = Submission(request=ClusterRequest(workers=4), max_array_size=1001, chdir=str(tmp_path))
        return SlurmLauncher(launch, replace(submission, grace_s=1.0), environ, look_s=0.5)
