"""The job that is the server and watches over the workers: it is handed over, and killed, while runs log."""

from __future__ import annotations

import contextlib

import psutil
import pytest

from tests.conftest import command_of

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(400)]


def heads(here):
    return [process for process in here.cluster.processes_of() if "launch.slurm.head" in command_of(process)]


def test_the_server_is_handed_over_and_killed_while_runs_log(here):
    """A warning before the time limit, then kill -9 of all of it: no row is missing, no run was lost."""
    here.grid(2)
    here.user.environ |= {"STEPS": "120", "STEP_S": "0.3"}
    here.launch("--gpus", 2, "--snapshot-every", "5s")
    here.wait(lambda: len(here.runs()) == 2, "two runs at work")
    (first,) = heads(here)
    here.cluster.ask("scancel", "--batch", "--signal=USR1", f"{here.job('head')}_0", check=True)
    here.wait(lambda: [head for head in heads(here) if head.pid != first.pid], "the next head", 60)
    here.wait(lambda: any(job.startswith(f"{here.job('head')}_1 RUNNING") for job in here.cluster.jobs()), "its job")
    here.wait(lambda: here.user.start("status").wait(60) == 0, "the server again", 60)
    (second,) = heads(here)
    doomed = [second, *second.children(recursive=True)]
    for process in doomed:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    here.await_end(200)
    assert here.result()["errors"] == {}
    assert {run: len(set(steps)) for run, steps in here.rows().items()} == {run[0]: 120 for run in here.runs()}
    assert len(here.runs()) == 2
