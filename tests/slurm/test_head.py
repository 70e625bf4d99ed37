"""The job that is the server and watches over the workers: it is handed over, and killed, while runs log."""

from __future__ import annotations

import contextlib

import psutil
import pytest

from tests.conftest import command_of

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]


def heads(here):
    return [process for process in here.cluster.processes_of() if "launch.slurm.head" in command_of(process)]


def test_the_server_is_handed_over_and_killed_while_runs_log(here):
    """A warning before the time limit, then kill -9 of all of it: no row is missing, no run was lost."""
    here.grid(2)
    end = here.until_told()
    here.launch("--gpus", 2, "--snapshot-every", "5s")
    here.wait(lambda: len(here.runs()) == 2, "two runs at work")
    (first,) = heads(here)
    here.cluster.ask("scancel", "--batch", "--signal=USR1", f"{here.job('head')}_0", check=True)
    second = here.wait(lambda: [head for head in heads(here) if head.pid != first.pid], "the next head")[0]
    here.wait(lambda: here.user.start("status").wait(90) == 0, "the server again", 120)
    for process in [second, *second.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    here.wait(lambda: [head for head in heads(here) if head.pid != second.pid], "the third head")
    here.wait(lambda: here.user.start("status").wait(90) == 0, "the server again", 120)
    end()
    here.await_end(200)
    assert here.result()["errors"] == {}
    logged = {run[0]: list(range(run[5])) for run in here.runs(ended=True)}
    assert len(here.runs()) == len(logged) == 2
    assert here.rows() == logged
