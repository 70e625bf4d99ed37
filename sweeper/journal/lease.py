"""Who watches over a launch from another machine, where no lock of this one tells: a file that says until when."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sweeper import private_files

VALID_S = 120.0
"""How long a launch counts as living after it was heard of last."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What says that a launch is under way.

    Attributes:
        pid: The process that watches over it, on its own machine.
        until: Until when, in seconds since 1970.
    """

    pid: int
    until: float


def renew(folder: Path, valid_s: float = VALID_S) -> None:
    """Say that a launch goes on, in its folder.

    Args:
        folder: The launch's.
        valid_s: For how long it counts as living if nothing more is heard.

    Raises:
        OSError: It cannot be written.
    """
    private_files.replace(_file(folder), json.dumps(asdict(Lease(os.getpid(), time.time() + valid_s))))


def give_up(folder: Path) -> None:
    """Say that a launch is over."""
    _file(folder).unlink(missing_ok=True)


def holder(folder: Path) -> int | None:
    """Give the process that watches over a launch from elsewhere; None if nothing was heard of it for too long."""
    try:
        lease = Lease(**json.loads(_file(folder).read_text(encoding="utf-8")))
        return lease.pid if lease.until > time.time() else None
    except (OSError, ValueError, TypeError):
        return None


def _file(folder: Path) -> Path:
    return folder / "lease.json"
