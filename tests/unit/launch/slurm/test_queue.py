"""The queue: one question for all, and what ended is no mistake."""

from __future__ import annotations

import pytest

from sweeper.launch.slurm import queue
from sweeper.launch.slurm.commands import SlurmError

UNKNOWN = "slurm_load_jobs error: Invalid job id specified"


def test_all_jobs_are_asked_for_at_once(slurm):
    """By their arrays; a task is one line."""
    slurm.says("squeue", "3_0|RUNNING|None\n3_1|PENDING|Resources\n")
    found = queue.read(["3_0", "3_1", "4_0"])
    assert [(job.id, job.state, job.reason, job.waits) for job in found.values()] == [
        ("3_0", "RUNNING", "", False),
        ("3_1", "PENDING", "Resources", True),
    ]
    assert slurm.asked() == ["squeue -h -r -j 3,4 -o %i|%T|%r"]


def test_nothing_is_asked_about_nothing(slurm):
    """No job, no question."""
    assert queue.read([]) == {}
    queue.cancel([])
    assert slurm.asked() == []


def test_jobs_that_slurm_has_forgotten_are_gone(slurm):
    """It calls that an error."""
    slurm.says("squeue", "", code=1, error=UNKNOWN)
    slurm.says("scancel", "", code=1, error="scancel: error: Kill job error on job id 3: Invalid job id specified")
    assert queue.read(["3_0"]) == {}
    queue.cancel(["3_0"])


def test_a_controller_that_is_away_is_not_an_empty_queue(slurm):
    """Workers would be taken for dead, and started twice."""
    slurm.says("squeue", "", code=1, error="slurm_load_jobs error: Unable to contact slurm controller")
    with pytest.raises(SlurmError, match="Unable to contact"):
        queue.read(["3_0"])


def test_the_end_of_a_job_is_told_as_long_as_slurm_knows(slurm):
    """Without accounting."""
    slurm.says("scontrol", "JobId=5 ArrayJobId=3 JobState=CANCELLED ExitCode=78:0 x=y\n")
    assert (queue.state_of("3_0"), queue.exit_code_of("3_0")) == ("CANCELLED", "78:0")
    slurm.says("scontrol", "", code=1, error=UNKNOWN)
    assert (queue.state_of("3_0"), queue.exit_code_of("3_0")) == ("", "")


def test_jobs_are_put_back_and_let_go(slurm):
    """By their names in the queue."""
    queue.requeue("3_0")
    queue.release("2")
    assert slurm.asked() == ["scontrol requeue 3_0", "scontrol release 2"]


def test_jobs_that_end_while_they_are_cancelled_are_no_mistake(slurm):
    """Told to be quiet, scancel then fails without a word; what it does say is told."""
    slurm.says("scancel", "", code=1)
    queue.cancel(["3_0"], "--quiet")
    slurm.says("scancel", "", code=1, error="scancel: error: Unable to contact slurm controller")
    with pytest.raises(SlurmError, match="Unable to contact"):
        queue.cancel(["3_0"], "--quiet")


@pytest.mark.parametrize(
    ("told", "nodes"),
    [
        ("JobState=FAILED Reason=JobLaunchFailure ExitCode=0:53 NodeList=n1", "n1"),
        ("JobState=FAILED Reason=NonZeroExitCode ExitCode=78:0 NodeList=n[1-2]", "n[1-2]"),
        ("JobState=FAILED Reason=NonZeroExitCode ExitCode=3:0 NodeList=n1", ""),
        ("JobState=PENDING Reason=JobLaunchFailure ExitCode=0:0 NodeList=", ""),
        ("", ""),
    ],
)
def test_nodes_on_which_a_job_could_not_begin_are_told_from_others(slurm, told, nodes):
    """Its script or its output could not be had there, or the script did not see the folder."""
    slurm.says("scontrol", told)
    assert queue.unfit_nodes("3_0") == nodes
