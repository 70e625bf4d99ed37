"""Search for several metrics: what may extend the front of runs that no other run beats.

A Gaussian process for each metric says how a configuration may turn out; the suggestion is the one from which the most
volume is expected, the space that the front dominates. Why, by measurement: docs/decisions/0005-several-metrics.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, logsumexp

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Params, Run
from sweeper.search import acquisition, bayes
from sweeper.search.bayes import Task
from sweeper.search.gaussian_process import Posterior
from sweeper.search.pareto_front import front_of_losses

Array = npt.NDArray[np.float64]

ENGINE = "ehvi/1"
"""Name and version; another version may give the same runs and seed another suggestion."""
RAYS, DEPTHS = 24, 4
"""The volume is measured along so many directions, and what may be gained along each at so many depths."""
MARGIN, LEAST_MARGIN = 0.3, 0.1
"""How far beyond the front the measured space reaches: a share of what the front spans, or so many deviations."""
BEYOND = 2.0
"""How many deviations better than the best value so far are thought possible."""


def propose(definition: SweepDefinition, runs: Sequence[Run], *, seed: int) -> list[Params]:
    """Propose configurations that may extend the front, the most promising first.

    Args:
        definition: What to search, with several metrics; at least one parameter varies.
        runs: All runs so far, in the order they were made; those that ended without values count as bad ones.
        seed: Decides every draw.

    Returns:
        As `bayes.search`.
    """
    signs = [metric.sign for metric in definition.objectives]
    lacking = (math.nan,) * len(signs)
    losses = np.array([run.values or lacking for run in runs], dtype=float).reshape(-1, len(signs)) * signs
    return bayes.search_with(_search, definition.space, runs, losses, seed=seed)


def _search(task: Task) -> Array:
    """Find rows that promise volume."""
    losses = np.column_stack([bayes.imputed(column, "worst") for column in task.losses.T])
    if np.isnan(losses).all():
        return bayes.apart(task)
    layers = _layers(losses)
    known = bayes.subset(layers, np.flatnonzero(task.ended), task.rng)
    pending = task.rows[~task.ended][-bayes.MAX_PENDING :]
    models = [
        bayes.models_of(task.axes, task.rows[known], bayes.warped(column), pending, task.rng)
        for column in losses[known].T
    ]
    gain = ExpectedGain(list(zip(*models, strict=True)), task.rng)
    near = task.rows[known][np.argsort(layers[known], kind="stable")[: 2 * bayes.NEIGHBOURED]]
    return acquisition.maximise(bayes.FadingScore(task, len(known), gain), task.axes, near, task.rng)


def _layers(losses: Array) -> Array:
    """Number the rows by front: 0 for the front itself, 1 for the front of the rest, until enough are told apart."""
    numbers, left = np.zeros(len(losses)), np.arange(len(losses))
    # more fronts than runs that the model sees need no number
    while len(left) and len(losses) - len(left) < bayes.MAX_KNOWN:
        left = np.delete(left, front_of_losses(losses[left]))
        numbers[left] += 1
    return numbers


class ExpectedGain:
    """The log of the expected gain of volume.

    The volume that losses dominate, seen from a corner behind them, is the mean over directions of the distance they
    reach along each, to the power of their number (Deng & Zhang, IEEE TEC 23 (2019)). A row reaches a depth
    along a direction if each of its losses is below the place there: for independent processes that probability is a
    product, and the expected gain its integral beyond what the front has reached.

    Args:
        joints: One process per metric, several times.
        rng: Draws the directions.
    """

    def __init__(self, joints: Sequence[Sequence[Posterior]], rng: np.random.Generator) -> None:
        rays = np.abs(rng.standard_normal((RAYS, len(joints[0]))))
        # never along an axis: places are divided by the direction below
        rays = np.maximum(rays / np.linalg.norm(rays, axis=1, keepdims=True), 1e-3)
        self.joints = [(joint, *_places(joint, rays)) for joint in joints]

    def __call__(self, rows: Array) -> Array:
        """Score rows."""
        logs = []
        for joint, places, weights in self.joints:
            reached = weights + np.zeros((len(rows), 1))
            for model, limits in zip(joint, places.T, strict=True):
                mean, sigma = model.mean_and_sigma(rows)
                reached += log_ndtr((limits - mean[:, None]) / sigma[:, None])
            logs.append(logsumexp(reached, axis=1))
        return np.asarray(logsumexp(logs, axis=0))


def _places(joint: Sequence[Posterior], rays: Array) -> tuple[Array, Array]:
    """Give the places beyond the front at which the gain is measured, with the logs of their weights.

    The front is one of means, at the runs of each process: a lucky noisy value is no goal.
    """
    means = np.column_stack([model.mean(model.rows) for model in joint])
    front = means[front_of_losses(means)]
    best, worst = front.min(axis=0), front.max(axis=0)
    corner = worst + np.maximum(MARGIN * (worst - best), LEAST_MARGIN)
    reached = ((corner - front)[:, None] / rays).min(axis=2).max(axis=0)
    most = ((corner - best + BEYOND) / rays).min(axis=1)
    nodes, weights = np.polynomial.legendre.leggauss(DEPTHS)
    share = (nodes + 1) / 2  # squared, the depths lie closer where the gain begins
    depth = reached[:, None] + (most - reached)[:, None] * share**2
    logs = np.log((most - reached)[:, None] * share * weights) + (len(joint) - 1) * np.log(depth)
    return (corner - rays[:, None] * depth[:, :, None]).reshape(-1, len(joint)), logs.ravel()
