"""Watching over started workers until all have ended: signals go on a list, one loop acts on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sweeper.errors import BackendError
from sweeper.launch.launcher import Launcher, WorkerHandle, WorkerState

TICK_S = 0.2


def supervise(
    launcher: Launcher,
    handles: Sequence[WorkerHandle],
    *,
    signals: list[int],
    grace_s: float,
    tick: Callable[[], None],
    on_stop: Callable[[int], None],
    replace: Callable[[WorkerHandle, WorkerState], WorkerHandle | None] = lambda _handle, _state: None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, WorkerState]:
    """Wait for the workers; the first signal on the list stops them gently, the next one kills.

    Args:
        launcher: What started them.
        handles: The workers.
        signals: Filled by signal handlers, emptied here.
        grace_s: How long a gentle stop may take.
        tick: Called at every turn of the loop, to show progress.
        on_stop: Told of every stop, with how many there were.
        replace: Told of every worker that ended by itself; may start another one in its place, or raise a BackendError
            to be told again: its server is away.
        sleep: How to wait; a test gives its own.

    Returns:
        How each worker ended.
    """
    current = {handle.id: handle for handle in handles}
    told: dict[str, WorkerHandle] = {}
    asked = 0
    while True:
        states = launcher.states(list(current.values()))
        if not asked:  # what ends after a stop has ended for that, and gets no successor
            _replace_ended(current, states, told, replace)
        if not any(state.works for state in states.values()):
            return states
        while signals:
            signals.pop()
            asked += 1
            launcher.stop(list(current.values()), grace_s=grace_s if asked == 1 else 0)
            on_stop(asked)
        tick()
        sleep(TICK_S)


def _replace_ended(
    current: dict[str, WorkerHandle],
    states: dict[str, WorkerState],
    told: dict[str, WorkerHandle],
    replace: Callable[[WorkerHandle, WorkerState], WorkerHandle | None],
) -> None:
    """Tell of each end once, and note who works now.

    Args:
        current: The worker of each slot.
        states: How each of them is.
        told: Of each slot the last worker whose end was told.
        replace: Told of an end; may start another worker, or raise to be told again.
    """
    for name, state in states.items():
        worker = current[name]
        if not state.works and told.get(name) is not worker:
            try:
                new = replace(worker, state)
            except BackendError:
                states[name] = WorkerState.UNKNOWN
                continue
            told[name] = worker
            if new:
                current[name] = new
                states[name] = WorkerState.RUNNING
