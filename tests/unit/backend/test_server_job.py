"""The mark that a server is a job, and what its scheduler says of it."""

from __future__ import annotations

import stat
import sys

import pytest

from sweeper.backend import server_job
from sweeper.backend.server_job import ServerJob
from sweeper.errors import ServerError


def saying(script: str) -> ServerJob:
    """A job whose scheduler is a line of Python."""
    return ServerJob("Slurm job 7", (sys.executable, "-c", script), "squeue -j 7")


def test_a_job_is_read_as_it_was_written_by_its_user_alone(tmp_path):
    """Nobody else can see it, and a removed one is none."""
    job = saying("pass")
    server_job.write(tmp_path, job)
    assert server_job.read(tmp_path) == job
    assert stat.S_IMODE(server_job.file(tmp_path).stat().st_mode) == 0o600
    server_job.remove(tmp_path)
    server_job.remove(tmp_path)
    assert server_job.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', '{"name": 1, "look": ["x"], "show": "y"}', "null"])
def test_a_mark_that_says_nothing_is_refused(tmp_path, text):
    """It might be a job's, so no server is started beside it."""
    server_job.file(tmp_path).write_text(text)
    with pytest.raises(ServerError, match="which job") as refused:
        server_job.read(tmp_path)
    assert "rm " in refused.value.hint


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("print('PENDING')", "PENDING"),
        ("print('RUNNING'); print('PENDING'); print('PENDING')", "RUNNING, PENDING"),
        ("pass", ""),
        ("print('COMPLETED')", ""),
        ("import sys; sys.exit('slurm_load_jobs error: Invalid job id specified')", ""),
    ],
)
def test_a_scheduler_says_how_the_job_is(script, state):
    """One that it does not know any more, or that is over, is gone."""
    assert server_job.state(saying(script)) == state


@pytest.mark.parametrize(
    "job",
    [
        saying("import sys; sys.exit('Unable to contact slurm controller')"),
        ServerJob("Slurm job 7", ("no-such-scheduler",), "squeue -j 7"),
    ],
)
def test_a_scheduler_that_does_not_answer_has_not_said_that_the_job_is_gone(job):
    """The user hears what to ask by hand."""
    with pytest.raises(ServerError, match="Slurm job 7") as refused:
        server_job.state(job)
    assert "squeue -j 7" in refused.value.hint
