"""The seam between a launch and where its workers run: what works on a launch names `Launcher` and no launcher."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sweeper.worker.spec import WorkerSpec


class WorkerState(StrEnum):
    """Where a worker is in its life.

    DONE: it had nothing more to do. FAILED: it gave up, for a reason that its log ends with. DIED: something ended it,
    so what it was at has to be taken up by others. UNKNOWN: its launcher cannot tell at the moment.
    """

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DIED = "died"
    UNKNOWN = "unknown"

    @property
    def works(self) -> bool:
        """Whether it may still be at work: what cannot be told is waited for, or its run would be had twice."""
        return self in {WorkerState.RUNNING, WorkerState.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHandle:
    """A started worker.

    Attributes:
        id: Its slot's name.
        native_id: What its launcher calls it, such as a process id.
    """

    id: str
    native_id: str


class Launcher(Protocol):
    """Starts workers somewhere, and answers for what becomes of them.

    A worker's orders and its log lie in the launch's folder (`LaunchDir.spec`, `LaunchDir.worker_log`), wherever it
    works. tests/unit/launch/test_launcher.py holds a launcher to what is said here.
    """

    def start(self, workers: Sequence[WorkerSpec]) -> list[WorkerHandle]:
        """Start one worker per spec, in their order."""

    def states(self, handles: Sequence[WorkerHandle]) -> dict[str, WorkerState]:
        """Ask once for all of them, by slot: a cluster's manager is asked for many jobs as cheaply as for one."""

    def wait(self, timeout_s: float) -> None:
        """Wait until a worker may have ended, but not for longer; one that hears of no ends by itself just waits."""

    def stop(self, handles: Sequence[WorkerHandle], *, grace_s: float) -> None:
        """Ask them to end their runs gently within `grace_s`; 0 kills. Nothing happens to one that has ended."""

    def replace(self, handle: WorkerHandle, worker: WorkerSpec) -> WorkerHandle:
        """Start another worker in the place of one that has ended.

        Raises:
            ValueError: It has not: two workers would share a slot.
        """

    def end_strays(self, *, spare: Collection[int] = ()) -> None:
        """End what dead workers left running; a script or a data loader would hold its GPU's memory for ever.

        Args:
            spare: Processes of this machine that the launch started beside its workers.
        """
