"""Workers as jobs: submitted all or none, adopted by another process, told of by what they say and what Slurm says.

tests/slurm holds it to the contract of all launchers, on a real Slurm.
"""

from __future__ import annotations

import os

import pytest

from sweeper.journal.station_state import StationState
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.launch.slurm.commands import SlurmError
from sweeper.launch.slurm.slurm_launcher import SlurmLauncher, signal_jobs
from sweeper.launch.slurm.submission import Submission


@pytest.fixture
def launcher(launch, slurm):
    """One that asks Slurm each time; the site's arrays have two tasks at most."""
    slurm.says("sbatch", "3\n")
    submission = Submission(request=ClusterRequest(workers=2), max_array_size=2, chdir="/")
    return SlurmLauncher(launch, submission, {"PATH": os.environ["PATH"]}, dependency="after:1_0", look_s=0.0)


def says(launch, slot: str, state: str, job: str) -> None:
    StationState(native_id=job, node="n0", pid=1, state=state).write(launch.station(slot))


def test_workers_are_submitted_as_arrays(launcher, launch, spec, slurm):
    """Their orders lie in the launch's folder, and which task has which slot."""
    handles = launcher.start([spec("a"), spec("b")])
    assert handles == [WorkerHandle(id="a", native_id="3_0"), WorkerHandle(id="b", native_id="3_1")]
    assert (launch.path / "workers-0.slots").read_text() == "a\nb\n"
    assert launch.spec("b").exists()
    assert slurm.asked("sbatch") == [f"sbatch --parsable --dependency=after:1_0 {launch.path}/workers-0.sbatch"]


def test_another_process_adopts_what_was_submitted(launcher, launch, spec, slurm):
    """Nothing is submitted twice, and orders in which a worker has named its node's GPU by now stay."""
    launcher.start([spec("a"), spec("b")])
    launch.spec("a").write_text("its own")
    other = SlurmLauncher(launch, Submission.load(launch), {})
    assert [handle.native_id for handle in other.start([spec("a"), spec("b")])] == ["3_0", "3_1"]
    assert len(slurm.asked("sbatch")) == 1
    assert launch.spec("a").read_text() == "its own"


def test_what_slurm_refuses_leaves_nothing(launcher, spec, slurm):
    """The first array of two is cancelled when the second is refused."""
    script = slurm.folder / "sbatch"
    script.write_text(f"#!/bin/sh\n[ -e {slurm.folder}/once ] && {{ echo 'sbatch: error: limit' >&2; exit 1; }}\n"
                      f"touch {slurm.folder}/once\necho 3\n")  # fmt: skip
    with pytest.raises(SlurmError, match="limit"):
        launcher.start([spec("a"), spec("b"), spec("c")])
    assert slurm.asked("scancel") == ["scancel 3"]
    assert launcher.submission.workers == {}


@pytest.mark.parametrize(
    "case",
    [
        ("", "PENDING", WorkerState.RUNNING),
        ("running", "RUNNING", WorkerState.RUNNING),
        ("preempted", "PENDING", WorkerState.RUNNING),
        ("done", "COMPLETING", WorkerState.DONE),
        ("done", "", WorkerState.DONE),
        ("failed", "", WorkerState.FAILED),
        ("died", "", WorkerState.DIED),
        ("running", "", WorkerState.DIED),
        ("preempted", "", WorkerState.DIED),
        ("", "", WorkerState.DIED),
        ("done", "PENDING", WorkerState.RUNNING),
    ],
)
def test_a_worker_is_as_it_says_and_as_slurm_says(launcher, launch, spec, slurm, case):
    """Its own word tells how it ended, Slurm whether it is there at all, or comes back."""
    said, queued, state = case
    handles = launcher.start([spec("a")])
    if said:
        says(launch, "a", said, "3_0")
    slurm.says("squeue", f"3_0|{queued}|None\n" if queued else "")
    assert launcher.states(handles) == {"a": state}


def test_the_word_of_another_job_does_not_count(launcher, launch, spec, slurm):
    """It was the slot's worker before."""
    handles = launcher.start([spec("a")])
    says(launch, "a", "done", "2_0")
    slurm.says("squeue", "3_0|RUNNING|None\n")
    assert launcher.states(handles) == {"a": WorkerState.RUNNING}


def test_a_controller_that_is_away_tells_nothing(launcher, spec, slurm):
    """Nobody is replaced for that."""
    handles = launcher.start([spec("a")])
    slurm.says("squeue", "", code=1, error="Unable to contact slurm controller")
    assert launcher.states(handles) == {"a": WorkerState.UNKNOWN}


def test_a_worker_that_has_gone_gets_another_job(launcher, launch, spec, slurm):
    """Where the site refuses that, its last job is put back into the queue."""
    (handle,) = launcher.start([spec("a")])
    launcher.states([handle])
    slurm.says("sbatch", "4\n")
    assert launcher.replace(handle, spec("a")).native_id == "4_0"
    assert Submission.load(launch).workers == {"a": "4_0"}
    slurm.says("sbatch", "", code=1, error="sbatch: error: not from a compute node")
    (again,) = launcher.start([spec("a")])
    launcher.states([again])
    assert launcher.replace(again, spec("a")).native_id == "4_0"
    assert slurm.asked("scontrol requeue") == ["scontrol requeue 4_0"]


def test_a_worker_that_its_user_cancelled_gets_none(launcher, launch, spec, slurm):
    """They wanted its nodes back; its log says why it has ended."""
    (handle,) = launcher.start([spec("a")])
    launcher.states([handle])
    slurm.says("scontrol", "JobState=CANCELLED")
    again = launcher.replace(handle, spec("a"))
    assert launcher.states([again]) == {"a": WorkerState.FAILED}
    assert "was cancelled" in launch.worker_log("a").read_text()


def test_a_stop_takes_out_of_the_queue_what_waits(launcher, launch, spec, slurm):
    """What works gets the signal, and does not come back."""
    handles = launcher.start([spec("a")])
    launcher.stop(handles, grace_s=5)
    assert slurm.asked("scancel") == [
        "scancel --quiet --state=PENDING 3_0",
        "scancel --quiet --batch --signal=TERM 3_0",
    ]
    says(launch, "a", "preempted", "3_0")
    assert launcher.states(handles) == {"a": WorkerState.DONE}


def test_a_kill_reaches_what_a_worker_has_started(slurm):
    """Slurm alone knows all of it."""
    signal_jobs(["3_0"], gently=False)
    assert slurm.asked("scancel")[-1] == "scancel --quiet --full --signal=KILL 3_0"


def test_why_workers_wait_is_slurms_word(launcher, spec, slurm):
    """A drained partition, a limit, other people's jobs."""
    handles = launcher.start([spec("a"), spec("b")])
    slurm.says("squeue", "3_0|PENDING|ReqNodeNotAvail, UnavailableNodes:n0\n3_1|RUNNING|None\n")
    launcher.states(handles)
    assert launcher.waiting() == {"a": "ReqNodeNotAvail, UnavailableNodes:n0"}


def test_a_node_that_starts_no_worker_gets_no_other(launch, spec, slurm):
    """Beside those that the user has taken out; the slot's log says which and why."""
    slurm.says("sbatch", "3\n")
    request = ClusterRequest(workers=1, scheduler_options=(("exclude", "old"),))
    launcher = SlurmLauncher(
        launch, Submission(request=request, max_array_size=9, chdir="/"), {"PATH": os.environ["PATH"]}, look_s=0.0
    )
    (handle,) = launcher.start([spec("a")])
    launcher.states([handle])
    slurm.says("scontrol", "JobState=FAILED Reason=JobLaunchFailure ExitCode=0:53 NodeList=n1")
    launcher.replace(handle, spec("a"))
    assert slurm.asked("sbatch")[-1].startswith("sbatch --parsable --exclude=old,n1 ")
    assert "could not begin on n1" in launch.worker_log("a").read_text()
