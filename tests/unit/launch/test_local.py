"""Workers as processes of this machine: what every launcher promises, and what they find around them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from sweeper.launch.launcher import Launcher
from sweeper.launch.local import LocalLauncher, worker_environ
from sweeper.processes import PR_SET_CHILD_SUBREAPER
from tests.conftest import clean_environ
from tests.unit.launch.test_launcher import LauncherContract


class TestLocalLauncher(LauncherContract):
    """It keeps the contract with real processes."""

    @pytest.fixture
    def launcher(self, tmp_path, stand) -> Iterator[Launcher]:
        """End its workers with the test."""
        launcher = LocalLauncher({**clean_environ(tmp_path), "PYTHONPATH": str(stand)})
        yield launcher
        for process in launcher._processes.values():
            process.kill()
            process.wait()
        launcher.end_strays()
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0)  # no other test's orphans become ours


def environ_for(environ: dict[str, str]) -> dict[str, str]:
    return worker_environ(environ, threads=3)


def test_workers_share_the_cores():
    """More threads than cores makes every run crawl; a user who sets them knows better."""
    assert environ_for({})["OMP_NUM_THREADS"] == environ_for({})["MKL_NUM_THREADS"] == "3"
    assert environ_for({"OMP_NUM_THREADS": "8"})["OMP_NUM_THREADS"] == "8"
    assert environ_for({"OMP_NUM_THREADS": "8"})["MKL_NUM_THREADS"] == "3"


def test_a_workers_modules_are_not_looked_for_where_its_user_stands():
    """That folder is for the trainer's process alone; what the user has set stays."""
    assert "PYTHONPATH" not in environ_for({})
    assert environ_for({"PYTHONPATH": "/mine"})["PYTHONPATH"] == "/mine"
