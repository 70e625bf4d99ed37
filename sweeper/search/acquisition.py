"""Where to look next: the logarithm of the expected improvement, and where it is largest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, logsumexp, ndtr

from sweeper.search.encoding import Axes
from sweeper.search.gaussian_process import Posterior

Array = npt.NDArray[np.float64]
Score = Callable[[Array], Array]
"""How promising rows are."""

SPREAD, NEAR = 1024, 256
"""Rows tried first: drawn anywhere, and beside the best runs."""
STARTS, OFFSPRING, ROUNDS = 8, 24, 8
"""The best of them are refined: this many rows, steps from each per round, rounds of halving steps."""
FIRST_STEP = 0.15


def log_expected_improvement(models: Sequence[Posterior], rows: Array) -> Array:
    """Give the log of the expected improvement, averaged over models.

    The improvement is over the least mean at a model's points: a lucky noisy value is no goal. The logarithm keeps its
    slope where the improvement rounds to 0 (Ament et al., arXiv 2310.20708).
    """
    logs = []
    for model in models:
        mean, sigma = model.mean_and_sigma(rows)
        logs.append(np.log(sigma) + _log_improvement((model.least - mean) / sigma))
    return np.asarray(logsumexp(logs, axis=0) - math.log(len(logs)))


def _log_improvement(z: Array) -> Array:
    """Give log(phi(z) + z Phi(z)), exact also far below 0."""
    below, above = np.minimum(z, -1.0), np.maximum(z, -1.0)
    # Phi(z) / phi(z) by erfcx: neither underflows
    tail = np.log(np.maximum(1 + below * erfcx(-below / np.sqrt(2)) * np.sqrt(np.pi / 2), 1e-12))
    head = np.log(np.exp(-(above**2) / 2) / np.sqrt(2 * np.pi) + above * ndtr(above))
    return np.asarray(np.where(z > -1, head, tail - z * z / 2 - np.log(2 * np.pi) / 2))


def maximise(score: Score, axes: Axes, near: Array, rng: np.random.Generator) -> Array:
    """Search for the most promising rows.

    Args:
        score: What to maximise; -inf for a row that must not be.
        axes: Where to search.
        near: Rows whose neighbours are worth a try.
        rng: The source of randomness.

    Returns:
        A few rows, the best first.
    """
    beside = np.repeat(near, -(-NEAR // len(near)), axis=0)
    rows = np.concatenate([axes.draw(rng, SPREAD), axes.move(beside, rng, 0.1)])
    rows, scores = _best(rows, score(rows))
    for turn in range(ROUNDS):
        tried = axes.move(np.repeat(rows, OFFSPRING, axis=0), rng, FIRST_STEP * 0.5**turn)
        # each row stays among its own offspring: a round can only gain
        tried = np.concatenate([rows[:, None], tried.reshape(len(rows), OFFSPRING, -1)], axis=1)
        gained = np.column_stack([scores, score(tried[:, 1:].reshape(-1, rows.shape[1])).reshape(len(rows), -1)])
        pick = (np.arange(len(rows)), gained.argmax(1))
        rows, scores = tried[pick], gained[pick]
    return _best(rows, scores)[0]


def _best(rows: Array, scores: Array) -> tuple[Array, Array]:
    order = np.argsort(-scores, kind="stable")[:STARTS]
    return rows[order], scores[order]
