"""Workers on a real Ray cluster: what every launcher promises."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import psutil
import pytest

from sweeper.backend import embedded_server
from sweeper.journal.station_state import StationState
from sweeper.launch.launcher import Launcher
from sweeper.launch.ray_launcher import RayLauncher
from tests.conftest import clean_environ
from tests.unit.launch.test_launcher import LauncherContract

pytestmark = pytest.mark.ray


@pytest.mark.usefixtures("here")
class TestRayLauncher(LauncherContract):
    """It keeps the contract with real actors."""

    @pytest.fixture
    def launcher(self, tmp_path, stand, embedded) -> Iterator[Launcher]:
        """One whose workers have a GPU each."""
        environ = {**clean_environ(tmp_path), "PYTHONPATH": f"{stand}{os.pathsep}{tmp_path}"}
        key = embedded_server.key_file(embedded_server.data_dir(embedded.home)).read_text().strip()
        environ |= {"WANDB_BASE_URL": embedded.url, "WANDB_API_KEY": key}
        launcher = RayLauncher(environ, num_gpus=1, num_cpus=0)
        yield launcher
        launcher.close()

    @pytest.fixture
    def lose(self, launch) -> Callable[[], None]:
        """Kill the worker's actor and all below it, as the loss of its machine does."""

        def lost() -> None:
            news = StationState.read(launch.station("work"))
            assert news is not None
            actor = psutil.Process(news.pid).parent()
            assert actor is not None
            for process in [actor, *actor.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

        return lost
