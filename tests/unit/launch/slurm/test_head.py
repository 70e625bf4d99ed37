"""A head that has nothing to do, or cannot do it. tests/slurm has them work, and follow each other."""

from __future__ import annotations

import signal

import pytest

from sweeper.journal import lease
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.launch_result import LaunchResult
from sweeper.launch.slurm import head, outcome
from sweeper.launch.slurm.submission import Submission
from sweeper.settings import Settings


@pytest.fixture(autouse=True)
def _signals():
    before = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def submission(launch, spec) -> Submission:
    spec("slurm0").save(launch.spec("slurm0"))
    made = Submission(head="2", request=ClusterRequest(workers=1), max_array_size=9, chdir="/", serves=False)
    made = made.with_workers({"slurm0": "3_0"})
    made.save(launch)
    return made


@pytest.mark.usefixtures("submission")
def test_a_successor_that_comes_too_late_ends(launch, slurm):
    """The launch is over: there is nothing to be cleared up, either."""
    outcome.write(launch, LaunchResult(runs=(), interrupted=False, errors={}))
    assert head.main([str(launch.path)]) == 0
    assert slurm.asked() == []


@pytest.mark.usefixtures("submission")
def test_a_head_that_cannot_work_leaves_it_to_the_next_one(launch, slurm, monkeypatch, capfd):
    """Another node may be well; the job's log has the error."""
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "0")
    assert head.main([str(launch.path)]) == 1
    assert "error: nobody answers at http://127.0.0.1:1" in capfd.readouterr().err
    assert outcome.read(launch) is None
    assert slurm.asked("scancel") == []


@pytest.mark.usefixtures("submission")
def test_the_last_head_that_cannot_work_ends_the_launch(launch, slurm, monkeypatch):
    """Nobody would ever clear up after it."""
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "7")
    assert head.main([str(launch.path)]) == 1
    result = outcome.read(launch)
    assert result is not None
    assert "nobody answers" in result.ended
    assert lease.holder(launch.path) is None
    assert slurm.asked("scancel")[-2:] == ["scancel --quiet 3_0", "scancel --quiet --state=PENDING 2"]


@pytest.mark.parametrize(
    ("task", "queued", "follows"),
    [
        ("0", "2_0|COMPLETING|None\n2_1|PENDING|JobArrayTaskLimit\n", True),
        ("0", "2_0|COMPLETING|None\n", False),
        ("7", "", True),
    ],
)
@pytest.mark.usefixtures("submission")
def test_a_launch_whose_heads_were_all_cancelled_counts_as_living_no_more(launch, slurm, task, queued, follows):
    """Else it does until the next head is at work, which may wait in the queue; the last one queues itself."""
    slurm.says("squeue", queued)
    slurm.says("scontrol", "JobState=RUNNING")
    settings = Settings(home=launch.path, environ={"SLURM_ARRAY_TASK_ID": task, "SLURM_ARRAY_JOB_ID": "2"})
    head.Head(launch, Submission.load(launch), settings)._hand_over()
    assert (lease.holder(launch.path) is not None) == follows


@pytest.mark.usefixtures("submission")
def test_a_fault_of_ours_ends_the_launch_with_the_last_head(launch, slurm, monkeypatch, capfd):
    """The workers would else wait for a head; what happened stands in the job's log."""
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "7")
    monkeypatch.setattr(head.Head, "_connect", lambda _self, _stack: {}["server"])
    assert head.main([str(launch.path)]) == 1
    result = outcome.read(launch)
    assert result is not None
    assert result.ended == "KeyError: 'server'"
    assert "Traceback" in capfd.readouterr().err
    assert slurm.asked("scancel")
