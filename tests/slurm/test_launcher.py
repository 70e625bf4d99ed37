"""Jobs of a real Slurm keep the contract of all launchers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from sweeper.backend import embedded_server
from sweeper.journal.station_state import StationState
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.launcher import Launcher, WorkerState
from sweeper.launch.slurm.slurm_launcher import SlurmLauncher
from sweeper.launch.slurm.submission import Submission
from tests.conftest import clean_environ
from tests.unit.conftest import embedded  # noqa: F401 a fixture
from tests.unit.launch.conftest import launch, spec, stand  # noqa: F401 fixtures
from tests.unit.launch.test_launcher import LauncherContract, wait

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(200)]


class TestSlurmLauncher(LauncherContract):
    """It keeps it."""

    @pytest.fixture
    def launcher(self, cluster, launch, stand, embedded, tmp_path, monkeypatch) -> Launcher:  # noqa: F811, PLR0917
        """One whose jobs have a stand-in for the worker."""
        for name, value in cluster.environ.items():
            monkeypatch.setenv(name, value)
        key = embedded_server.key_file(embedded_server.data_dir(embedded.home)).read_text().strip()
        environ = {**clean_environ(tmp_path), **cluster.environ}
        environ |= {"WANDB_BASE_URL": embedded.url, "WANDB_API_KEY": key}
        environ["PYTHONPATH"] = f"{stand}{os.pathsep}{tmp_path}"
        submission = Submission(request=ClusterRequest(workers=4), max_array_size=1001, chdir=str(tmp_path))
        return SlurmLauncher(launch, replace(submission, grace_s=1.0), environ, look_s=0.5)

    @pytest.fixture
    def lose(self, cluster, launch) -> Callable[[], None]:  # noqa: F811
        """Kill the node that the worker is on."""

        def lost() -> None:
            news = StationState.read(launch.station("work"))
            assert news is not None
            cluster.kill_node(news.node)

        return lost

    def test_a_worker_whose_machine_is_lost_has_died(self, launcher, launch, spec, lose):  # noqa: F811
        """Not here: Slurm itself puts the job back into the queue, and the same worker goes on on another node."""
        (handle,) = launcher.start([spec("work")])
        wait((launch.path / "work.ready").exists)
        lost = StationState.read(launch.station("work"))
        assert lost is not None
        lose()

        def elsewhere() -> bool:
            news = StationState.read(launch.station("work"))
            return news is not None and news.node != lost.node

        wait(elsewhere, 120)
        assert launcher.states([handle])["work"] is WorkerState.RUNNING
