"""The front of a sweep with several metrics: the runs that no other run beats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sweeper.run import Goal, sign

Array = npt.NDArray[np.float64]
Values = Sequence[float]
"""A run's value of each metric, in the order of the goals."""

HUGE = 1e300
"""Larger values count as this: their differences stay finite."""


def front(values: Sequence[Values | None], goals: Sequence[Goal]) -> list[int]:
    """Find the runs that no other run beats: better in one metric, and no worse in any.

    Args:
        values: The values of each run; None, or nothing, for one without.
        goals: The direction of each metric.

    Returns:
        Indices of runs, in their order.
    """
    valued = [index for index, row in enumerate(values) if row]
    losses = losses_of([row for row in values if row], goals)
    return [valued[place] for place in front_of_losses(losses)]


def front_of_losses(losses: Array) -> list[int]:
    """Find the rows that no other row beats, in their order."""
    order = np.lexsort(losses.T[::-1])  # whoever beats a row stands before it
    left, kept = losses[order].T, np.empty(0, dtype=np.intp)
    while len(order):
        kept = np.append(kept, order[(left == left[:, :1]).all(axis=0)])
        better = (left < left[:, :1]).any(axis=0)  # than the first in some metric: unbeaten by it
        left, order = left[:, better], order[better]
    return sorted(kept.tolist())


def losses_of(values: Sequence[Values], goals: Sequence[Goal]) -> Array:
    """Give a row of losses per run: low is good."""
    signs = list(map(sign, goals))
    return np.clip(np.array(values, dtype=float).reshape(-1, len(goals)) * signs, -HUGE, HUGE)
