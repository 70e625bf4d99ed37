"""What an array's task does when it is ended from outside."""

from __future__ import annotations

import pytest

from sweeper.launch.slurm import node


def test_a_task_is_named_as_the_queue_does():
    """Its own number would find it, too, but nobody else uses that."""
    environ = {"SLURM_ARRAY_JOB_ID": "3", "SLURM_ARRAY_TASK_ID": "1", "SLURM_JOB_ID": "5"}
    assert node.native_id(environ) == "3_1"
    assert node.native_id({"SLURM_JOB_ID": "5"}) == "5"


def test_a_job_that_was_preempted_comes_back(launch, slurm):
    """Its limit, or somebody of higher rank: there is work left."""
    slurm.says("scontrol", "JobState=RUNNING")
    node.come_back(launch, "slurm0", "3_0")
    assert slurm.asked()[-1] == "scontrol requeue 3_0"


@pytest.mark.parametrize("state", ["COMPLETING", "CANCELLED", "COMPLETED"])
def test_a_job_that_its_user_cancelled_does_not(launch, slurm, state):
    """They want their nodes back."""
    slurm.says("scontrol", f"JobState={state}")
    node.come_back(launch, "slurm0", "3_0")
    assert not slurm.asked("scontrol requeue")


def test_a_worker_that_its_launch_stopped_does_not(launch, slurm):
    """Nor one of a launch that has ended."""
    node.stopped(launch, "slurm0").touch()
    node.come_back(launch, "slurm0", "3_0")
    launch.end("over")
    node.come_back(launch, "slurm1", "3_1")
    assert slurm.asked() == []


def test_a_site_that_lets_nothing_be_put_back_is_no_mistake(launch, slurm):
    """Whoever watches over the launch submits another job."""
    slurm.says("scontrol", "JobState=RUNNING", code=1, error="Requested operation not permitted")
    node.come_back(launch, "slurm0", "3_0")


def test_a_task_follows_the_orders_of_its_line(launch, spec, slurm, monkeypatch):
    """A launch that has ended gives it nothing to do."""
    slots = launch.path / "workers-0.slots"
    slots.write_text("slurm0\nslurm1\n")
    spec("slurm1").save(launch.spec("slurm1"))
    launch.end("over")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "3")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    assert node.main([str(slots)]) == 0
    assert '"native_id": "3_1"' in launch.station("slurm1").read_text()
    assert slurm.asked() == []
