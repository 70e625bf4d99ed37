"""What is in Slurm's queue of ours: one question for all jobs, and what may be done to them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sweeper.launch.slurm import commands
from sweeper.launch.slurm.batch_script import NOT_SHARED
from sweeper.launch.slurm.commands import SlurmError

_UNKNOWN = "invalid job id"


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job, or a task of an array, that is in the queue.

    Attributes:
        id: `123_4`, or `123` of a job that is no array.
        state: In Slurm's words: PENDING, RUNNING, COMPLETING, ...
        reason: Why it waits, in Slurm's words; None if it does not.
    """

    id: str
    state: str
    reason: str

    @property
    def waits(self) -> bool:
        """Whether it has no node yet, or none any more."""
        return self.state in {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"}


def read(jobs: Iterable[str]) -> dict[str, QueuedJob]:
    """Ask for all tasks of some jobs, by id; those that have ended are not in it.

    Raises:
        SlurmError: The controller does not answer.
    """
    arrays = sorted({job.partition("_")[0] for job in jobs})
    if not arrays:
        return {}
    try:
        told = commands.ask("squeue", "-h", "-r", "-j", ",".join(arrays), "-o", "%i|%T|%r")
    except SlurmError as error:
        if _UNKNOWN in error.message.lower():
            return {}
        raise
    return parse(told)


def parse(told: str) -> dict[str, QueuedJob]:
    """Read lines of `squeue -r -o '%i|%T|%r'`."""
    found = (line.strip().split("|", 2) for line in told.splitlines() if line.count("|") >= 2)
    return {id_: QueuedJob(id_, state, "" if reason == "None" else reason) for id_, state, reason in found}


def cancel(jobs: Collection[str], *options: str) -> None:
    """Cancel jobs; those that have ended are no mistake.

    Args:
        jobs: Their ids.
        options: More for scancel: `--state=PENDING`, `--batch` and `--signal=TERM`.

    Raises:
        SlurmError: The controller does not answer.
    """
    if jobs:
        with _ended_is_fine():
            commands.ask("scancel", *options, *jobs)


def requeue(job: str, exclude: Sequence[str] = ()) -> None:
    """Put a job back into the queue.

    Args:
        job: Its id.
        exclude: Nodes on which it is not to begin again, as far as the site lets one say so afterwards.

    Raises:
        SlurmError: The site does not let jobs be requeued, or it has gone.
    """
    commands.ask("scontrol", "requeue", job)
    if exclude:
        with contextlib.suppress(SlurmError):
            commands.ask("scontrol", "update", f"JobId={job}", f"ExcNodeList={','.join(exclude)}")


def release(job: str) -> None:
    """Let a held job begin.

    Raises:
        SlurmError: It has gone.
    """
    commands.ask("scontrol", "release", job)


def state_of(job: str) -> str:
    """Tell the state of a job that may have ended a while ago: CANCELLED, NODE_FAIL, ...; empty if it is forgotten."""
    found = _shown(job, r"\bJobState=(\w+)")
    return found[-1] if found else ""  # of an array without a task the newest comes last


def unfit_nodes(job: str) -> str:
    """Name the nodes on which a job could not even begin, as Slurm writes them; empty if it began or is forgotten.

    Its folder is not there, say: neither its script nor the file of what it prints can be had.
    """
    launched = "JobLaunchFailure" not in _shown(job, r"\bReason=(\w+)")
    if state_of(job) != "FAILED" or (launched and exit_code_of(job) != f"{NOT_SHARED}:0"):
        return ""
    return "".join(_shown(job, r"\bNodeList=(\S+)")[-1:])


def exit_code_of(job: str) -> str:
    """Tell how a job ended, CODE:SIGNAL as Slurm has it; empty if it is forgotten."""
    return max(_shown(job, r"\bExitCode=(\d+:\d+)"), default="")


def _shown(job: str, field: str) -> list[str]:
    """Read a field of a job, or of all tasks of an array; nothing if Slurm has forgotten it."""
    try:
        return re.findall(field, commands.ask("scontrol", "-o", "show", "job", job))
    except SlurmError:
        return []


@contextlib.contextmanager
def _ended_is_fine() -> Iterator[None]:
    try:
        yield
    except SlurmError as error:
        # with --quiet scancel fails without a word where a job has ended
        if not any(word in error.message.lower() for word in ("invalid job id", "already", "said nothing")):
            raise
