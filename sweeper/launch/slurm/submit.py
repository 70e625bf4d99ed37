"""A launch handed to Slurm: all of its jobs are submitted, or none is left, and this machine keeps no process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sweeper.backend import embedded_server, server_job
from sweeper.backend.server_job import ServerJob
from sweeper.errors import LaunchError
from sweeper.journal import lease
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.launch.prepare import Launch
from sweeper.launch.slurm import commands, queue
from sweeper.launch.slurm.commands import SlurmError
from sweeper.launch.slurm.head import BETWEEN_S
from sweeper.launch.slurm.slurm_launcher import SlurmLauncher, signal_jobs
from sweeper.launch.slurm.submission import Submission, write_script
from sweeper.settings import Settings

MOVES = 3


def check_nobody_needs_the_server_here(home: Path) -> None:
    """Make sure that no launch of this machine works with the server that is about to move to a node.

    Raises:
        LaunchError: One does.
    """
    for sweep in SweepDir.known(home):
        for launch in sweep.launches():
            pid = launch.launcher()
            if pid is not None and not (launch.path / "slurm.json").exists():
                fix = "wait for it or stop it; or launch beside it with a server that runs already: --server URL"
                raise LaunchError(f"process {pid} of this machine works on sweep {sweep.ref} with the server", fix)


def submit_launch(launch: Launch, submission: Submission, settings: Settings, environ: Mapping[str, str]) -> Submission:
    """Submit the head and the workers, and hand the server over to the head.

    Args:
        launch: The launch, prepared.
        submission: How its jobs are to be.
        settings: The user's environment.
        environ: What Slurm keeps of it.

    Returns:
        The jobs.

    Raises:
        LaunchError: Slurm refuses; what was submitted is cancelled, and the server is as it was.
    """
    directory = launch.directory
    script = write_script(directory, "head", submission.head_job(directory))
    # held until all else is there: a job that began could not be taken back without a trace
    head = commands.submit(script, environ, "--hold")
    submission = replace(submission, head=head)
    launcher = SlurmLauncher(
        directory, submission, environ, dependency=f"after:{head}_0"
    )  # the array counts as begun when all of its tasks have
    try:
        launcher.start([launch.worker_spec(slot) for slot in launch.slots])
        lease.renew(directory.path, BETWEEN_S)
        if submission.serves:
            _move_server(Path(submission.server), head, settings)
        queue.release(head)
    except BaseException:
        withdraw(directory, launcher.submission)
        raise
    return launcher.submission


def _move_server(data: Path, head: str, settings: Settings) -> None:
    """End the server here, and mark it as the head's.

    Raises:
        SweeperError: It does not end.
    """
    look = ("squeue", "-h", "-j", head, "-o", "%T")
    job = ServerJob(f"Slurm job {head}", look, f"squeue -j {head}")
    for _ in range(MOVES):
        embedded_server.stop(settings.home)
        server_job.write(data, job)
        if embedded_server.find(settings.home) is None:
            return
        server_job.remove(data)  # another command has started it in between
    raise LaunchError(f"the server on {data} is started again and again", "end what uses it: `sweeper status --watch`?")


def withdraw(directory: LaunchDir, submission: Submission) -> None:
    """Take everything out of the queue, as if nothing had been submitted."""
    with contextlib.suppress(SlurmError):
        queue.cancel(submission.jobs(), "--quiet")
    lease.give_up(directory.path)
    if submission.serves:
        server_job.remove(Path(submission.server))


def check_head(directory: LaunchDir, submission: Submission) -> None:
    """See that the head's job waits or works.

    Raises:
        LaunchError: It has gone without a word.
        SlurmError: The controller does not answer.
    """
    if queue.read([submission.head]):
        return
    time.sleep(1)  # its last word may be on its way
    code = queue.exit_code_of(submission.head)
    logs = sorted(directory.path.glob("head-*.log"))
    if not logs:
        fix = f"SWEEPER_HOME must be a folder that all nodes share; look: scontrol show job {submission.head}"
        raise LaunchError(
            f"Slurm job {submission.head} ended ({code or '?'}): its node does not see {directory.path}", fix
        )
    lines = [line for line in logs[-1].read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if line.startswith("error: ")), lines[-1] if lines else "")
    fix = f"its log: {logs[-1]}; look: scontrol show job {submission.head}"
    raise LaunchError(f"Slurm job {submission.head} ended: {said.removeprefix('error: ') or 'without a word'}", fix)


def stop_launch(directory: LaunchDir, submission: Submission, *, gently: bool) -> None:
    """Stop a launch that others watch over: no run starts any more, and those under way end.

    Raises:
        SlurmError: The controller does not answer.
    """
    directory.end("it was stopped by its user")
    jobs = list(Submission.load(directory).workers.values()) or list(submission.workers.values())
    signal_jobs(jobs, gently=gently)
