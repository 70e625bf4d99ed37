"""The server as a job of a scheduler: a mark in its data directory, while which no other server starts there."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import join

from sweeper import private_files
from sweeper.errors import ServerError

TIMEOUT_S = 20.0
"""Seconds that a scheduler may take to answer; a busy Slurm takes some."""
_UNKNOWN = re.compile(r"invalid job id|unknown job|no such job|not ?found|does not exist", re.IGNORECASE)
_OVER = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}
"""States that Slurm goes on to tell of a job that is over."""


@dataclass(frozen=True, slots=True)
class ServerJob:
    """The job that a server is.

    Attributes:
        name: What it is called in a sentence: `Slurm job 123`.
        look: The command that prints its state, and nothing once it is gone.
        show: The command that shows a user more.
    """

    name: str
    look: tuple[str, ...]
    show: str


def file(data: Path) -> Path:
    """Name the file with the mark."""
    return data / "job.json"


def read(data: Path) -> ServerJob | None:
    """Read which job a data directory's server is; None where it is none.

    Raises:
        ServerError: The mark is there and cannot be read: to start a server beside the job would be wrong.
    """
    try:
        found = json.loads(file(data).read_text(encoding="utf-8"))
        job = ServerJob(found["name"], tuple(found["look"]), found["show"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = f"see that the server's job is gone, then: rm {file(data)}"
        raise ServerError(f"{file(data)} does not say which job the server is", fix) from error
    texts: Sequence[object] = (job.name, job.show, *job.look)
    if not job.look or not all(isinstance(text, str) for text in texts):
        raise ServerError(f"{file(data)} does not say which job the server is", f"rm {file(data)}")
    return job


def write(data: Path, job: ServerJob) -> None:
    """Mark a data directory's server as a job, for its user alone.

    Raises:
        OSError: It cannot be written.
    """
    private_files.replace(file(data), json.dumps(asdict(job)))


def remove(data: Path) -> None:
    """Take the mark away: from now on commands start the server by themselves."""
    file(data).unlink(missing_ok=True)


def state(job: ServerJob) -> str:
    """Ask the scheduler how a job is: its own word, such as `PENDING`; empty if it is gone.

    Raises:
        ServerError: The scheduler does not say.
    """
    try:
        asked = subprocess.run(
            job.look, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = f"no answer within {TIMEOUT_S:g} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        raise _silent(job, why) from error
    if asked.returncode and _UNKNOWN.search(asked.stderr):
        return ""
    if asked.returncode:
        raise _silent(job, " ".join(asked.stderr.split()) or f"exit code {asked.returncode}")
    words = dict.fromkeys(asked.stdout.split())
    return ", ".join(word for word in words if word not in _OVER)


def _silent(job: ServerJob, why: str) -> ServerError:
    fix = f"ask yourself: {job.show}; if the job is gone for good, delete the server's job.json"
    return ServerError(f"the server is {job.name}, and {join(job.look)} does not tell its state: {why}", fix)
