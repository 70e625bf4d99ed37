"""When a sweep will be done, from how long its runs have taken: those that were stopped early included."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from sweeper.run import RunState

LATEST = 50
"""Runs by which the others are judged: a search and its early termination change how long runs take."""
SIMULATED = 1000
"""Runs to come that are dealt out one by one; of more, the end makes no difference."""
_AT_WORK = (RunState.RUNNING, RunState.PREEMPTING)


class Timed(Protocol):
    """What is asked of a run."""

    @property
    def state(self) -> RunState:
        """Where it is in its life."""

    @property
    def duration_s(self) -> float | None:
        """For how long it has been at work, in seconds; None before it began."""


def eta_s(runs: Sequence[Timed], total: int | None, slots: int) -> float | None:
    """Estimate the seconds until all runs have ended.

    Args:
        runs: The runs there are.
        total: How many there will be; None for no end of them.
        slots: How many work at the same time.

    Returns:
        The seconds; None if nothing can be said: no end, nobody at work, or no run to judge by.
    """
    ended = (run.duration_s for run in reversed(runs) if run.state.ended and run.duration_s)
    lasted = list(islice(ended, LATEST))
    going = [run for run in runs if run.state in _AT_WORK]
    left = 0 if total is None else max(0, total - sum(run.state.ended for run in runs) - len(going))
    if total is None or not (left or going):
        return None if total is None else 0.0
    if not lasted or not slots:
        return None
    free = [_rest(run.duration_s or 0.0, lasted) for run in going]
    free += [0.0] * (slots - len(free))
    return _until_all_is_done(free, left, statistics.fmean(lasted))


def _rest(taken_s: float, lasted: Sequence[float]) -> float:
    """Estimate what is left of a run by those that took longer than it has: it is none of those that fail at once."""
    longer = [seconds for seconds in lasted if seconds > taken_s]
    return statistics.fmean(longer) - taken_s if longer else 0.0


def _until_all_is_done(free: list[float], left: int, usual: float) -> float:
    """Give each run to the slot that is free first."""
    rounds = max(0, left - SIMULATED) // len(free)
    heapq.heapify(free)
    last = max(free)
    for _ in range(left - rounds * len(free)):
        last = max(last, heapq.heapreplace(free, free[0] + usual) + usual)
    return last + rounds * usual
