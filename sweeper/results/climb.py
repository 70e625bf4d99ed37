"""How the best value of a sweep came about: the best so far, run after run."""

from __future__ import annotations

from collections.abc import Iterable

from sweeper.results.status import RunStatus
from sweeper.run import Goal, best_value, sign

POINTS = 200
"""Of more runs, as many are kept: more than any line of a terminal has columns."""


def climb(runs: Iterable[RunStatus], goal: Goal) -> tuple[float, ...]:
    """Give the best value so far after each run that has one and may lead.

    Args:
        runs: The runs, oldest first.
        goal: Whether low or high values are good.
    """
    scored = [run.best for run in runs if run.best is not None and run.may_lead]
    stride = -(-len(scored) // POINTS) or 1
    # from the last run backwards, so that the last point is the best of all
    blocks = [scored[max(0, end - stride) : end] for end in range(len(scored), 0, -stride)][::-1]
    found: list[float] = []
    for block in blocks:
        found.append(best_value(goal, (*found[-1:], *block)))
    return tuple(found)


def by_value(runs: Iterable[RunStatus], goal: Goal) -> list[RunStatus]:
    """Sort the runs that may lead and have a value, the best first, the earliest of equals first."""
    leading = [run for run in runs if run.best is not None and run.may_lead]
    return sorted(leading, key=lambda run: sign(goal) * (run.best or 0.0))
