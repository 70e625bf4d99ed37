"""`python -m sweeper.launch.slurm.node SLOTS`: what each task of an array of workers becomes on its node."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from sweeper.journal.directories import LaunchDir
from sweeper.launch import station
from sweeper.launch.slurm import queue
from sweeper.launch.slurm.commands import SlurmError
from sweeper.settings import Settings


def native_id(environ: Mapping[str, str]) -> str:
    """Name the job that this process is in, as `squeue` does."""
    array, task = environ.get("SLURM_ARRAY_JOB_ID"), environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else environ.get("SLURM_JOB_ID", "")


def stopped(directory: LaunchDir, slot: str) -> Path:
    """Name the mark of a worker that its launch has stopped: its job does not go back into the queue."""
    return directory.path / f"{slot}.stopped"


def come_back(directory: LaunchDir, slot: str, job: str) -> None:
    """Have this job put back into the queue: a time limit or somebody of higher rank has ended it, and work is left.

    Where the site does not allow it, whoever watches over the launch submits another one.
    """
    if not (directory.ended() or stopped(directory, slot).exists()):
        requeue_own(job)


def requeue_own(job: str) -> bool:
    """Put the job that this process is in back into the queue, unless it is being ended for good; say whether it is.

    A job that its user has cancelled is COMPLETING by now, as is one whose limit was not told beforehand: it would
    come back all the same. One that Slurm itself puts back needs nobody's help.
    """
    if queue.state_of(job) == "RUNNING":
        with contextlib.suppress(SlurmError):
            queue.requeue(job)
            return True
    return False


def main(argv: Sequence[str]) -> int:
    """Be the worker of this task's slot.

    Args:
        argv: The file with the slot of each task, a line each, in the launch's folder.
    """
    environ = Settings.from_env().environ
    slots = Path(argv[0])
    slot = slots.read_text(encoding="utf-8").splitlines()[int(environ.get("SLURM_ARRAY_TASK_ID", "0"))]
    directory, job = LaunchDir(slots.parent), native_id(environ)
    return station.work(
        directory.spec(slot),
        environ,
        native_id=job,
        node=environ.get("SLURMD_NODENAME", ""),
        preempted=partial(come_back, directory, slot, job),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
