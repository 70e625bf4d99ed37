"""A launch handed to Slurm: whole, or not at all. tests/slurm does it on a real one."""

from __future__ import annotations

import pytest

from sweeper.backend import server_job
from sweeper.backend.server_job import ServerJob
from sweeper.errors import LaunchError
from sweeper.journal import lease
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.slurm.submission import Submission
from sweeper.launch.slurm.submit import check_head, check_nobody_needs_the_server_here, stop_launch, withdraw


@pytest.fixture
def submission(launch, tmp_path) -> Submission:
    (tmp_path / "data").mkdir()
    made = Submission(
        head="2", request=ClusterRequest(workers=2), max_array_size=9, chdir="/", server=str(tmp_path / "data")
    ).with_workers({"slurm0": "3_0", "slurm1": "3_1"})
    made.save(launch)
    return made


def test_what_is_withdrawn_leaves_nothing(launch, submission, slurm, tmp_path):
    """No job, no mark that the server is one, no launch under way."""
    server_job.write(tmp_path / "data", ServerJob("Slurm job 2", ("true",), "x"))
    lease.renew(launch.path)
    withdraw(launch, submission)
    assert slurm.asked() == ["scancel --quiet 2 3"]
    assert server_job.read(tmp_path / "data") is None
    assert lease.holder(launch.path) is None


def test_a_launch_of_this_machine_keeps_the_server_here(launch, tmp_path):
    """Its runs would wait for a server that is in a queue; one on the cluster goes on with the same server."""
    check_nobody_needs_the_server_here(tmp_path)
    lease.renew(launch.path)
    with pytest.raises(LaunchError, match="works on sweep e/p/s"):
        check_nobody_needs_the_server_here(tmp_path)
    (launch.path / "slurm.json").touch()
    check_nobody_needs_the_server_here(tmp_path)


def test_a_head_that_has_gone_is_told_of(launch, submission, slurm):
    """By the last line of its log; where there is none, its node does not see the folder."""
    slurm.says("squeue", "2_0|RUNNING|None\n")
    check_head(launch, submission)
    slurm.says("squeue", "")
    slurm.says("scontrol", "ExitCode=78:0")
    with pytest.raises(LaunchError, match="does not see") as caught:
        check_head(launch, submission)
    assert "scontrol show job 2" in caught.value.hint
    (launch.path / "head-2_0.log").write_text("error: no room\n  make some\n")
    with pytest.raises(LaunchError, match="Slurm job 2 ended: no room"):
        check_head(launch, submission)


def test_a_launch_is_stopped_from_afar(launch, submission, slurm):
    """No run starts any more; what waits leaves the queue, what works is asked to end."""
    stop_launch(launch, submission, gently=True)
    assert launch.ended()
    assert slurm.asked("scancel")[-1] == "scancel --quiet --batch --signal=TERM 3_0 3_1"
