"""Bayesian search: a Gaussian process over the runs, asked where it expects the most improvement.

Why this engine, by measurement: docs/decisions/0001-search-engine.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from threadpoolctl import ThreadpoolController

from sweeper.definition.metric import Impute
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Params, Run, RunState, sign
from sweeper.search import acquisition, gaussian_process
from sweeper.search.encoding import Axes
from sweeper.search.gaussian_process import Posterior
from sweeper.space.parameter_space import ParameterSpace

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ENGINE = "gp/1"
"""Name and version; another version may give the same runs and seed another suggestion."""

FIRST_MODEL = 4
"""Values needed for a model; before that, suggestions only keep apart."""
MAX_KNOWN, MAX_PENDING = 150, 50
"""Runs the model sees at most, ended and under way: its cost grows with the cube of their number."""
INTERIOR = 8.0
"""How much the middle of an ordered axis is preferred: a prior on the optimum that fades with the number of values, as
in Hvarfner et al., arXiv 2204.11051. A process is least sure at the edges, so without it the first suggestions crowd
into the corners; and who writes limits expects the best between them."""
APART = 64
"""Draws of which the one farthest from all runs is proposed while there is no model; the inner third of all drawn."""
NEIGHBOURED = 6
"""Best runs whose neighbours are tried."""
HUGE = 1e300
"""Larger values count as this: their differences stay finite."""


def propose(definition: SweepDefinition, runs: Sequence[Run], *, seed: int) -> list[Params]:
    """Propose configurations for one metric, the most promising first.

    Ended runs count with their best logged value, stopped ones too, and as `metric.impute` says if they have none.
    Running ones only keep the proposals apart, unless `metric.impute_while_running` says that they count as well.

    Args:
        definition: What to search, with a metric; at least one parameter varies.
        runs: All runs so far, in the order they were made.
        seed: Decides every draw.

    Returns:
        As `search`.
    """
    best = [run.best(definition.goal) for run in runs]
    losses = [None if value is None else sign(definition.goal) * value for value in best]
    metric = definition.metric
    impute: Impute = metric.impute if metric else "worst"
    if metric and metric.impute_while_running != "false":
        runs, losses = _counting_running(runs, losses, metric.impute_while_running)
    return search(definition.space, runs, losses, seed=seed, impute=impute)


def _counting_running(
    runs: Sequence[Run], losses: Sequence[float | None], impute: Impute
) -> tuple[list[Run], list[float | None]]:
    """Take running runs for ended ones, with their best loss so far, as W&B's engine (`sweeps` 0.3.0) does.

    One that has logged nothing counts as the worst, best or latest of the ended runs; while these are too few for a
    model, it is left as it is.
    """
    ended = [loss for run, loss in zip(runs, losses, strict=True) if run.state.ended]
    stand_in = imputed(np.array([*ended, None], dtype=float), impute)[-1]
    counted, known = list(runs), list(losses)
    for place, (run, loss) in enumerate(zip(runs, losses, strict=True)):
        if run.state in {RunState.RUNNING, RunState.PREEMPTING} and (loss is not None or not math.isnan(stand_in)):
            counted[place] = replace(run, state=RunState.FINISHED)
            known[place] = float(stand_in) if loss is None else loss
    return counted, known


def search(
    space: ParameterSpace,
    runs: Sequence[Run],
    losses: Sequence[float | None],
    *,
    seed: int,
    impute: Impute = "worst",
) -> list[Params]:
    """Propose configurations for a small loss, the most promising first.

    Runs under way keep the proposals apart. Runs that the space cannot produce are left out.

    Args:
        space: What to search; at least one parameter varies.
        runs: All runs so far, in the order they were made.
        losses: The loss of each, None for one without.
        seed: Decides every draw.
        impute: What an ended run without a loss counts as: the worst, best or latest loss.

    Returns:
        A few configurations; of a finite space only such as no run has, so maybe none.
    """

    def find(task: Task) -> Array:
        return _search(task, imputed(task.losses[:, 0], impute))

    column = np.array(losses, dtype=float).reshape(-1, 1)  # None becomes NaN
    return search_with(find, space, runs, column, seed=seed)


def search_with(
    find: Callable[[Task], Array],
    space: ParameterSpace,
    runs: Sequence[Run],
    losses: Array,
    *,
    seed: int,
) -> list[Params]:
    """Have rows found, and read them as configurations.

    Args:
        find: Gives rows, the most promising first.
        space: As in `search`.
        runs: Likewise.
        losses: A row per run with a loss for each metric; NaN for one that it lacks.
        seed: Decides every draw.
    """
    axes = Axes.of(space.searched, space.conditions)
    rows = axes.encode([run.params for run in runs])
    fits = ~np.isnan(rows).any(axis=1)
    ended = np.array([run.state.ended for run in runs], dtype=bool)
    known = np.where(ended[:, None], losses, math.nan)
    with _threads().limit(limits=1, user_api="blas"):  # on small matrices threads wait for each other
        found = find(Task(axes, rows[fits], ended[fits], known[fits], np.random.default_rng(seed)))
    # what has one value is no axis, but belongs into the configuration
    fixed = {
        name: distribution.ppf(0.0) for name, distribution in space.distributions.items() if name not in axes.by_name
    }
    drawn = [fixed | axes.decode(row) for row in found]
    return [space.active({name: params[name] for name in space.distributions}) for params in drawn]


@dataclass(frozen=True, slots=True)
class Task:
    """What is known when rows are to be found.

    Attributes:
        axes: Where to search.
        rows: The runs.
        ended: Which of them have ended.
        losses: A column per metric, NaN where there is none.
        rng: The source of randomness.
    """

    axes: Axes
    rows: Array
    ended: Mask
    losses: Array
    rng: np.random.Generator


def imputed(losses: Array, impute: Impute) -> Array:
    """Replace what is missing; all of it stays missing while there are too few losses for a model."""
    losses = np.clip(losses, -HUGE, HUGE)
    found = losses[~np.isnan(losses)]
    if len(found) < FIRST_MODEL:
        return np.full(len(losses), math.nan)
    stand_in = {"worst": found.max(), "best": found.min(), "latest": found[-1]}[impute]
    return np.where(np.isnan(losses), stand_in, losses)


def _search(task: Task, losses: Array) -> Array:
    """Find rows that promise a small loss, given that of each run."""
    axes, rows, rng = task.axes, task.rows, task.rng
    if np.isnan(losses).all():
        return apart(task)
    known, pending = subset(losses, np.flatnonzero(task.ended), rng), rows[~task.ended][-MAX_PENDING:]
    models = models_of(axes, rows[known], warped(losses[known]), pending, rng)
    score = FadingScore(task, len(known), lambda rows: acquisition.log_expected_improvement(models, rows))
    near = rows[known][np.argsort(losses[known], kind="stable")[:NEIGHBOURED]]
    return acquisition.maximise(score, axes, near, rng)


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()  # takes 30 ms: it looks through the loaded libraries


def _inside(axes: Axes, rows: Array) -> Array:
    """Give how far inside the ordered axes rows lie: 0 in the middle, less towards the edges."""
    shares = axes.margins + (1 - 2 * axes.margins) * rows
    # an edge is unlikely, never forbidden: its logarithm stays finite
    ordered = np.clip(shares[:, ~axes.unordered], 0.01, 0.99)
    return np.asarray(np.log(4 * ordered * (1 - ordered)).sum(1))


def apart(task: Task) -> Array:
    """Draw rows and put the one farthest from all runs first; axes are rings, or the corners would win."""
    axes, rows = task.axes, task.rows
    drawn = axes.draw(task.rng, 3 * APART)
    drawn = drawn[np.argsort(-_inside(axes, drawn), kind="stable")[:APART]]
    if not len(rows):
        return drawn
    gaps = np.abs(drawn[:, None, :] - rows[-MAX_KNOWN:])
    gaps = np.where(axes.unordered, 0.5 * (gaps > 0), np.minimum(gaps, 1 - gaps))
    return drawn[np.argsort(-(gaps**2).sum(2).min(1), kind="stable")]


def subset(losses: Array, ended: npt.NDArray[np.intp], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Choose the ended runs the model sees: the best half, the newest quarter, and some of the rest."""
    if len(ended) <= MAX_KNOWN:
        return ended
    # where to look, what the search has just learned, and what it must not forget
    best = ended[np.argsort(losses[ended], kind="stable")[: MAX_KNOWN // 2]]
    rest = np.setdiff1d(ended, best)
    newest = rest[-(MAX_KNOWN // 4) :]
    others = rng.choice(rest[: -len(newest)], MAX_KNOWN - len(best) - len(newest), replace=False)
    return np.sort(np.concatenate([best, newest, others]))


def warped(losses: Array) -> Array:
    """Make values about standard normal: the better half keeps its shape, the worse one only its order.

    So a run that diverged does not flatten what matters (half-rank warping of Vizier, Song et al., arXiv 2408.11527).
    """
    middle = np.median(losses)
    good = losses <= middle
    depth = (middle - losses[good]) / 2  # halved: the difference of two huge values is finite
    scale = depth.max()
    if scale > 0:
        depth = depth / scale / np.sqrt(np.mean((depth / scale) ** 2))
    _, place, count = np.unique(losses, return_inverse=True, return_counts=True)
    shares = (np.cumsum(count) - count / 2)[place] / len(losses)
    warped = ndtri(np.maximum(shares, 0.5))
    warped[good] = -depth
    spread = warped.std()
    return np.asarray((warped - warped.mean()) / (spread if spread > 0 else 1.0))


def models_of(axes: Axes, known: Array, values: Array, pending: Array, rng: np.random.Generator) -> list[Posterior]:
    """Fit processes to the ended runs; those under way count as what each process expects of them."""
    kernels = gaussian_process.fit(known, values, axes.unordered, rng)
    models = [Posterior(kernel, known, values) for kernel in kernels]
    return [model.believing(pending) for model in models] if len(pending) else models


def _taken(axes: Axes, rows: Array) -> frozenset[bytes]:
    """Remember the rows given out, if rows can repeat at all."""
    # hashed, since comparing each row with each run would cost their product
    return frozenset(row.tobytes() for row in rows) if axes.listed else frozenset()


class FadingScore:
    """The log of an expected improvement, faded towards the edges; a row that was given out does not count.

    Args:
        task: What is known.
        known: How many runs the improvement is expected from.
        improvement: Gives that, for rows.
    """

    def __init__(self, task: Task, known: int, improvement: acquisition.Score) -> None:
        self.axes, self.improvement = task.axes, improvement
        self.interior, self.taken = INTERIOR / known, _taken(task.axes, task.rows)

    def __call__(self, rows: Array) -> Array:
        """Score rows."""
        score = self.improvement(rows) + self.interior * _inside(self.axes, rows)
        if self.taken:
            score[[row.tobytes() in self.taken for row in rows]] = -math.inf
        return score
