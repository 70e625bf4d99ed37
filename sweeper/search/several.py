"""Search for several metrics: the front of runs that no other beats in all of them, and where it may grow.

Each suggestion weighs the metrics anew and searches for the least weighted loss (augmented Chebyshev), so that the
suggestions spread along the front: ParEGO, Knowles, IEEE TEC 10 (2006).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sweeper.definition import SweepDefinition
from sweeper.run import Goal, Params, Run
from sweeper.search import bayes

Array = npt.NDArray[np.float64]
Values = Sequence[float]
"""A run's value of each metric, in the order of the goals."""

BESIDE = 0.05
"""The weight of the sum beside the maximum: of equals in the worst metric, the better in the others wins."""


def front(values: Sequence[Values | None], goals: Sequence[Goal]) -> list[int]:
    """Find the runs that no other run beats: better in one metric, and no worse in any.

    Args:
        values: The values of each run; None for one without.
        goals: The direction of each metric.

    Returns:
        Indices of runs, in their order.
    """
    valued = [index for index, row in enumerate(values) if row is not None]
    losses = _losses([row for row in values if row is not None], goals)
    kept: list[int] = []
    for place in np.lexsort(losses.T[::-1]).tolist():  # whoever beats a run stands before it
        rivals = losses[kept]
        if not ((rivals <= losses[place]).all(axis=1) & (rivals < losses[place]).any(axis=1)).any():
            kept.append(place)
    return sorted(valued[place] for place in kept)


def propose(
    definition: SweepDefinition,
    runs: Sequence[Run],
    values: Sequence[Values | None],
    goals: Sequence[Goal],
    *,
    seed: int,
) -> list[Params]:
    """Propose configurations that may extend the front, the most promising first.

    Args:
        definition: What to search; at least one parameter varies.
        runs: All runs so far, in the order they were made.
        values: The values of each run, None for one without; those of runs under way do not count.
        goals: The direction of each metric.
        seed: Decides the weights and every draw; the next suggestion takes another.

    Returns:
        As `bayes.search`.
    """
    counting = [row if run.state.ended else None for run, row in zip(runs, values, strict=True)]
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(goals)))
    return bayes.search(definition.space, runs, scalarised(counting, goals, weights), seed=seed)


def scalarised(values: Sequence[Values | None], goals: Sequence[Goal], weights: Array) -> list[float | None]:
    """Give one loss per run: the largest weighted metric, scaled by what the front spans, plus a bit of the sum."""
    known = [row for row in values if row is not None]
    if not known:
        return [None] * len(values)
    losses = _losses(known, goals)
    best = losses[front(known, goals)]
    low, high = best.min(axis=0), best.max(axis=0)
    spread = np.where(high > low, high - low, np.maximum(losses.max(axis=0) - low, 1e-300))
    scaled = weights * np.clip((losses - low) / spread, 0.0, 1e100)
    found = iter((scaled.max(axis=1) + BESIDE * scaled.sum(axis=1)).tolist())
    return [None if row is None else next(found) for row in values]


def _losses(values: Sequence[Values], goals: Sequence[Goal]) -> Array:
    signs = [1.0 if goal == "minimize" else -1.0 for goal in goals]
    return np.clip(np.array(values, dtype=float).reshape(-1, len(goals)) * signs, -bayes.HUGE, bayes.HUGE)
