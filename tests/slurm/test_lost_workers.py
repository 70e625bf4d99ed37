"""Workers that Slurm, a user or a power cut ends: the same run ids go on."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]


def test_a_node_is_killed_in_the_middle(here):
    """Slurm puts its jobs back into the queue; what they were at goes on on the other node."""
    here.grid(4)
    end = here.until_told()
    here.launch("--gpus", 4, "--count", 4)
    here.wait(lambda: len(here.runs()) == 4, "four runs at work")
    host = here.cluster.ask("squeue", "-h", "-j", here.job("head"), "-t", "RUNNING", "-o", "%N")
    (doomed,) = {"n0", "n1"} - {host}
    lost = {run[0] for run in here.runs() if run[2] == doomed}
    here.cluster.kill_node(doomed)
    end()  # the others' GPUs are the only ones that are left
    here.wait(lambda: lost <= {run[0] for run in here.runs()[4:]}, "the runs on another node", 150)
    here.await_end(240)
    assert {run[0] for run in here.runs(ended=True)} == {run[0] for run in here.runs()}
    assert len({run[0] for run in here.runs()}) == 4
    assert {run[2] for run in here.runs()[4:] if run[0] in lost} == {host}
    assert [run["state"] for run in here.user.status()["runs"]] == ["finished"] * 4


def test_a_requeue_a_limit_and_a_cancel_hand_runs_on(here):
    """One is put back, one comes to its time limit, one is cancelled: the run ids stay, and go on elsewhere."""
    here.grid(3)
    end = here.until_told()
    here.launch("--gpus", 3, "--count", 3, "--grace", 5)
    here.wait(lambda: len(here.runs()) == 3, "three runs at work")
    runs = {run[0] for run in here.runs()}
    jobs = [here.job(here.directory.attempts()[run].slot) for run in sorted(runs)]
    here.cluster.ask("scontrol", "requeue", jobs[0], check=True)
    here.cluster.ask("scancel", "--batch", "--signal=USR1", jobs[1])  # as Slurm does before a limit
    here.cluster.ask("scancel", jobs[2])
    here.wait(lambda: len({run[0] for run in here.runs()[3:]}) >= 2, "two runs again", 150)
    assert jobs[2] not in {job.split()[0] for job in here.cluster.jobs()}  # its user has taken it away
    end()
    here.await_end(240)
    assert {run[0] for run in here.runs()} == runs
    assert {run[0] for run in here.runs(ended=True)} == runs
    assert [run["state"] for run in here.user.status()["runs"]] == ["finished"] * 3
