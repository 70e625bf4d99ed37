"""Workers that died, and what becomes of their slots: what they were at is taken up, and another one is started."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.errors import BackendError, LaunchError
from sweeper.journal.directories import LaunchDir
from sweeper.launch.launcher import Launcher, WorkerHandle, WorkerState
from sweeper.launch.recovery import recover_slot
from sweeper.ref import SweepRef
from sweeper.worker.spec import WorkerSpec

AWAY_S = 2.0
"""How long a server that is away is left alone, before it is told again of a worker that died."""
RESTARTS = 3
"""How often the worker of a slot is started again after it died: a slot that kills worker after worker is broken."""


@dataclass
class Replacement:
    """What is done about workers that end: of a whole launch, or of one slot away from it.

    Attributes:
        ref: The sweep.
        directory: The launch's.
        launcher: What started them.
        orders: Writes the orders of a slot's next worker.
        retries: How often a run may be lost or fail for no fault of its own.
        needs: Files and folders without which nothing can go on.
        spare: Processes that were started beside the workers.
    """

    ref: SweepRef
    directory: LaunchDir
    launcher: Launcher
    orders: Callable[[str], WorkerSpec]
    retries: int
    needs: Sequence[Path] = ()
    spare: Callable[[], Collection[int]] = tuple
    restarts: dict[str, int] = field(default_factory=dict)
    away_until: float = 0.0

    def replace(self, handle: WorkerHandle, state: WorkerState) -> WorkerHandle | None:
        """Take up what a dead worker left behind, and start another one if there is work for it.

        A worker that ended well is also replaced if a run waits: it found no ticket, and one came back since.

        Raises:
            BackendError: The server is away, and cannot be told what a dead worker was at: ask again.
        """
        if state is WorkerState.FAILED:  # it knew why it gave up, and so would the next one
            return None
        if state is WorkerState.DIED:
            self._take_up(handle.id)
        waiting = any(attempt.waits for attempt in self.directory.attempts().values())
        tries = self.restarts.get(handle.id, 0)
        if self.directory.ended() or tries >= RESTARTS or not (waiting or state is WorkerState.DIED):
            return None
        self.restarts[handle.id] = tries + 1
        self.directory.note_restart(handle.id)
        return self.launcher.replace(handle, self.orders(handle.id))

    def clear(self, states: Mapping[str, WorkerState]) -> None:
        """End what dead workers left running, and hand their runs out again.

        Raises:
            LaunchError: What all stands on was deleted.
        """
        self.launcher.end_strays(spare=self.spare())
        check_needs(self.needs)  # of which a worker may have died before anybody looked
        for slot, state in states.items():
            if state is WorkerState.DIED:
                with contextlib.suppress(BackendError):  # the next launch takes it up
                    self._recover(slot)

    def _take_up(self, slot: str) -> None:
        """Clear what a worker left that died; where the server is away, look for it every few seconds."""
        if time.monotonic() < self.away_until:
            raise BackendError("the server is away")
        self.clear({})
        try:
            self._recover(slot)
        except BackendError:
            self.away_until = time.monotonic() + AWAY_S
            raise

    def _recover(self, slot: str) -> None:
        recover_slot(self.ref, self.directory, slot, retries=self.retries)


def check_needs(needs: Sequence[Path]) -> None:
    """See that what workers stand on is there.

    Raises:
        LaunchError: It was deleted.
    """
    for path in filter(_is_gone, needs):
        fix = "start anew: sweeper create, sweeper launch"
        raise LaunchError(f"{path} was deleted or moved away: the launch ends, and its runs with it", fix)


def _is_gone(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # a network disk may hang for a moment
        return False
    return False
