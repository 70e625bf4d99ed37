"""What every launcher shares: the worker's orders, its states, and the directory it reports to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sweeper.worker.spec import WorkerSpec


class WorkerState(StrEnum):
    """Where a worker process is in its life."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DIED = "died"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHandle:
    """A started worker.

    Attributes:
        id: Its slot's name.
        native_id: What the launcher calls it: a pid, a Slurm job id.
    """

    id: str
    native_id: str


class Launcher(Protocol):
    """Starts workers somewhere; local here, Slurm and Ray to come."""

    def start(self, workers: Sequence[WorkerSpec]) -> list[WorkerHandle]:
        """Start one process per spec."""

    def states(self, handles: Sequence[WorkerHandle]) -> dict[str, WorkerState]:
        """Ask once for all of them."""

    def stop(self, handles: Sequence[WorkerHandle], *, grace_s: float) -> None:
        """Ask them to end their runs gently within `grace_s`; 0 kills."""
