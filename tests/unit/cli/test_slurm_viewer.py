"""Looking at a launch that others watch over: it ends with the launch. tests/slurm looks at real ones."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

from sweeper.cli.slurm_viewer import _until_over
from sweeper.journal.directories import SweepDir
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.launch_result import LaunchResult
from sweeper.launch.slurm import outcome
from sweeper.launch.slurm.submission import Submission
from sweeper.ref import SweepRef


def test_a_ctrl_c_stops_the_launch_that_one_looks_at(tmp_path, monkeypatch):
    """The workers are told by Slurm; who watches over them writes down how it ended."""
    (tmp_path / "scancel").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "scancel").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    directory = SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()
    submission = Submission(head="2", request=ClusterRequest(workers=1), max_array_size=9, chdir="/")
    submission = submission.with_workers({"slurm0": "3_0"})
    submission.save(directory)
    looks = 0

    def tick() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            os.kill(os.getpid(), signal.SIGINT)
        elif looks == 3:
            outcome.write(directory, LaunchResult(runs=(), interrupted=False, errors={}))

    launch = SimpleNamespace(directory=directory, rules=SimpleNamespace(grace_s=1))
    result = _until_over(launch, submission, tick)
    assert result.interrupted
    assert directory.ended() == "it was stopped by its user"
    assert "--batch --signal=TERM 3_0" in (tmp_path / "asked").read_text()
