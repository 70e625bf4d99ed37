"""What was submitted, and how: for whoever watches over it later."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sweeper import __version__
from sweeper.errors import LaunchError
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.slurm.submission import Submission, write_script

REQUEST = ClusterRequest(
    workers=4,
    gpus_per_node=1,
    keep=2,
    partition="gpu",
    time_s=7200,
    server_time_s=3600,
    scheduler_options=(("account", "lab"), ("mem", "8G"), ("head.partition", "cpu")),
)
SUBMISSION = Submission(request=REQUEST, max_array_size=101, chdir="/srv/me", server="/data")


def test_a_submission_is_read_as_it_was_written(launch):
    """By another process, on another machine."""
    written = SUBMISSION.with_workers({"slurm0": "3_0", "slurm1": "3_1", "slurm2": "4_0"})
    written.save(launch)
    assert Submission.load(launch) == written
    assert written.jobs() == ["3", "4"]
    with pytest.raises(OSError, match=r"slurm\.json"):
        Submission.load(type(launch)(launch.path / "none"))


def test_workers_get_what_was_asked_for_and_the_head_what_is_its_own(launch):
    """Who pays is the same; memory and GPUs are the workers'."""
    workers = SUBMISSION.worker_job(launch, launch.path / "workers-0.slots", 4).text()
    head = SUBMISSION.head_job(launch).text()
    for line in ("--account=lab", "--mem=8G", "--gres=gpu:1", "--partition=gpu", "--array=0-3%2", "B:USR1@60"):
        assert line in workers
    for line in ("--account=lab", "--partition=cpu", "--array=0-7%1", "--time=0-01:00:00"):
        assert line in head
    assert "gres" not in head
    assert "mem" not in head


def test_a_script_lies_where_its_user_can_look(launch):
    """For them alone."""
    path = write_script(launch, "head", SUBMISSION.head_job(launch))
    assert path.read_text().startswith("#!/bin/sh\n#SBATCH")
    assert path.stat().st_mode & 0o077 == 0


def test_a_launch_of_another_version_is_read_and_not_gone_on_with(launch):
    """An upgrade came in between: its workers refuse the same, and a traceback would help nobody."""
    Submission(request=REQUEST, max_array_size=9, chdir="/", version="0.0.9").save(launch)
    stored = json.loads((launch.path / "slurm.json").read_text())
    stored["request"]["gone"] = stored["gone"] = 1
    (launch.path / "slurm.json").write_text(json.dumps(stored))
    found = Submission.load(launch)
    with pytest.raises(LaunchError, match=r"of sweeper 0\.0\.9"):
        found.check_version()
    replace(found, version=__version__).check_version()
