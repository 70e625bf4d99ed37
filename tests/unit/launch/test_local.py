"""What a worker on this machine finds around it; test_launcher.py holds its launcher to the contract."""

from __future__ import annotations

import os
from pathlib import Path

from sweeper.launch.local import worker_environ


def environ_for(environ: dict[str, str]) -> dict[str, str]:
    return worker_environ(environ, threads=3)


def test_workers_share_the_cores():
    """More threads than cores makes every run crawl; a user who sets them knows better."""
    assert environ_for({})["OMP_NUM_THREADS"] == environ_for({})["MKL_NUM_THREADS"] == "3"
    assert environ_for({"OMP_NUM_THREADS": "8"})["OMP_NUM_THREADS"] == "8"
    assert environ_for({"OMP_NUM_THREADS": "8"})["MKL_NUM_THREADS"] == "3"


def test_the_users_modules_are_found_where_they_stand():
    """A console script has its own folder on its path, and not the current one."""
    assert environ_for({})["PYTHONPATH"] == str(Path.cwd())
    assert environ_for({"PYTHONPATH": "/mine"})["PYTHONPATH"] == f"{Path.cwd()}{os.pathsep}/mine"
