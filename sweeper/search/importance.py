"""Which parameters mattered: three answers from the runs of one sweep, cheap enough to give whenever somebody looks.

PED-ANOVA (Watanabe et al., arXiv 2304.10255; Optuna's) says what sets the best runs apart; the random forest and the
linear correlation are what W&B's parameter-importance panel shows. They answer different questions and may disagree.
"""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeper.run import Goal, Run, sign
from sweeper.space.values import json_key

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from sweeper.definition.sweep_definition import SweepDefinition
    from sweeper.space.distributions import Distribution
    from sweeper.space.parameter_space import ParameterSpace

    Floats = npt.NDArray[np.float64]

MIN_RUNS = 10
"""With fewer runs every number would be chance."""

TREES, TREE_COLUMNS = 100, 1000
"""As many trees as W&B's up to ten parameters, and fewer with more: trees times columns cost the time."""

TREE_RUNS = 512
"""Runs that each tree sees; more of them cost time and change nothing."""

MAX_CELLS = 20_000
"""Runs times parameters: of more runs a random part is taken, which keeps the whole below a second."""

MAX_RUNS = 2_000
"""Of more runs a random part is taken, however few parameters there are: Optuna takes half a second for a thousand."""

SURE_RUNS = 10
"""With fewer runs than this for each parameter, small shares may be chance."""

MAX_LISTED = 50
"""A distribution with more values than this is taken for continuous if they are numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How much one parameter mattered; None where that cannot be told.

    Attributes:
        name: The parameter.
        ped_anova: Its share in what sets the best runs apart from the rest: the best tenth, or the best 5 of few.
        forest: Its share in how well a random forest explains the metric.
        correlation: Pearson's r of its value and the metric, from -1 to 1; None for what is no number.
        n: Runs looked at that had the parameter and a value of the metric; below 10 nothing is told.
    """

    name: str
    ped_anova: float | None = None
    forest: float | None = None
    correlation: float | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class _Column:
    """A parameter over the runs.

    Attributes:
        name: The parameter.
        values: Its value in each run; None where a run lacks it.
        coordinates: The same as an index into the listed values, or by the CDF; NaN where a run lacks it.
        listed: How many values are listed; None for a continuous parameter.
        ordered: Whether less and more mean something.
    """

    name: str
    values: tuple[Any, ...]
    coordinates: tuple[float, ...]
    listed: int | None
    ordered: bool

    @property
    def n(self) -> int:
        """Runs that have it."""
        return sum(not math.isnan(u) for u in self.coordinates)

    @property
    def varies(self) -> bool:
        """Whether two runs differ in it, be it that one lacks it."""
        return len({None if math.isnan(u) else u for u in self.coordinates}) > 1


def importance(definition: SweepDefinition, runs: Sequence[Run]) -> tuple[Importance, ...]:
    """Tell how much each searched parameter mattered for the metric, the most important first.

    Runs that have ended count with their best value, early-stopped ones too; without a finite value they do not count.
    A function of its arguments alone: the forest's seed is fixed. The first call in a process imports scikit-learn.
    """
    ended = [(run, run.best(definition.goal)) for run in runs if run.state.ended]
    return weigh(definition.space, [(run, value) for run, value in ended if value is not None], definition.goal)


def weigh(space: ParameterSpace, scored: Sequence[tuple[Run, float]], goal: Goal) -> tuple[Importance, ...]:
    """Tell the same of any runs, each with a finite value of any metric.

    Args:
        space: The parameters.
        scored: The runs and their values.
        goal: Which values are good.
    """
    searched = space.searched
    most = min(MAX_RUNS, max(MIN_RUNS, MAX_CELLS // max(1, len(searched))))
    if len(scored) > most:
        scored = random.Random(0).sample(scored, most)  # noqa: S311 no secret
    columns = [_column(name, distribution, [run for run, _ in scored]) for name, distribution in searched.items()]
    told = [column for column in columns if column.varies and column.n >= MIN_RUNS]
    if not told or len({value for _, value in scored}) == 1:
        return tuple(Importance(name=column.name, n=column.n) for column in columns)
    largest = max(abs(value) for _, value in scored) or 1.0
    metric = [value / largest for _, value in scored]  # their squares must not overflow
    best, forest = _ped_anova(told, metric, goal), _forest(told, metric)
    found = [
        Importance(
            name=column.name,
            ped_anova=best.get(column.name),
            forest=forest.get(column.name),
            correlation=_correlation(column, metric) if column in told else None,
            n=column.n,
        )
        for column in columns
    ]
    return tuple(sorted(found, key=lambda row: (row.ped_anova or 0.0, row.forest or 0.0), reverse=True))


def best_quarter(scored: Sequence[tuple[Run, float]], goal: Goal) -> list[tuple[Run, float]]:
    """Keep the best quarter of runs with values: what matters among them may matter nothing among all."""
    ordered = sorted(scored, key=lambda pair: sign(goal) * pair[1])
    return ordered[: math.ceil(len(ordered) / 4)]


def caveat(n: int, parameters: int) -> str:
    """Say how far the importance of so many parameters can be trusted, told from so many runs; empty if far enough."""
    if n < MIN_RUNS:
        return f"It takes {MIN_RUNS} runs with a value to tell: there are {n}."
    if n < SURE_RUNS * max(1, parameters):
        return f"From {n} runs of {parameters} parameters: a hint, no more. Small shares may be chance."
    return ""


def _column(name: str, distribution: Distribution, runs: Sequence[Run]) -> _Column:
    values, support = tuple(run.params.get(name) for run in runs), distribution.support
    numbers = support is not None and all(map(_is_number, support))
    if support is None or (numbers and len(support) > MAX_LISTED):
        inside = [_is_number(value) and distribution.contains(value) for value in values]
        clipped = (
            min(1.0, max(0.0, distribution.cdf(v))) if ok else math.nan for v, ok in zip(values, inside, strict=True)
        )
        return _Column(name, values, tuple(clipped), None, ordered=True)
    places = {json_key(value): float(i) for i, value in enumerate(support)}
    coordinates = tuple(places.get(json_key(value), math.nan) for value in values)
    return _Column(name, values, coordinates, len(support), ordered=numbers and list(support) == sorted(support))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _ped_anova(columns: Sequence[_Column], metric: Sequence[float], goal: Goal) -> dict[str, float]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    axes = {column.name: _axis(column) for column in columns}
    study = optuna.create_study(direction=goal)
    study.add_trials(_trial(columns, axes, i, value) for i, value in enumerate(metric))
    quantile = max(0.1, min(0.5, 5 / len(metric)))  # Optuna advises at least 5 trials above it
    ranked = sorted(metric, key=lambda value: sign(goal) * value)
    if ranked[math.ceil(quantile * len(ranked)) - 1] == ranked[-1]:
        return {}  # the best are as good as the worst
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=quantile)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator, params=list(axes))
    return {name: float(share) for name, share in shares.items()}


def _axis(column: _Column) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if column.listed is None:
        return FloatDistribution(0.0, 1.0)
    return IntDistribution(0, column.listed - 1) if column.ordered else CategoricalDistribution(range(column.listed))


def _trial(columns: Sequence[_Column], axes: Mapping[str, BaseDistribution], run: int, value: float) -> FrozenTrial:
    import optuna

    params = {
        column.name: u if column.listed is None else int(u)
        for column in columns
        if not math.isnan(u := column.coordinates[run])
    }
    return optuna.trial.create_trial(value=value, params=params, distributions={name: axes[name] for name in params})


def _forest(columns: Sequence[_Column], metric: Sequence[float]) -> dict[str, float]:
    """Fit W&B's forest; what it says of the columns of one parameter is added up. It can read a NaN."""
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    blocks = [_block(column) for column in columns]
    table = np.hstack(blocks)
    trees = max(20, min(TREES, TREE_COLUMNS // table.shape[1]))
    forest = RandomForestRegressor(trees, max_samples=min(TREE_RUNS, len(metric)), random_state=0)
    shares = forest.fit(table, np.asarray(metric)).feature_importances_
    ends = np.cumsum([block.shape[1] for block in blocks])
    return {
        column.name: float(shares[end - block.shape[1] : end].sum())
        for column, block, end in zip(columns, blocks, ends, strict=True)
    }


def _block(column: _Column) -> Floats:
    """Give a parameter as columns of a table: one, or one for each of the commonest categories."""
    import numpy as np

    values = np.array(column.coordinates)
    if column.ordered:
        return values[:, None]
    common = [category for category, _ in Counter(column.coordinates).most_common(MAX_LISTED)]
    return np.stack([values == category for category in sorted(common)], axis=1).astype(float)


def _correlation(column: _Column, metric: Sequence[float]) -> float | None:
    """Give Pearson's r over the runs that have the parameter as a number; booleans are 0 and 1."""
    known = [i for i, u in enumerate(column.coordinates) if not math.isnan(u)]
    if not all(isinstance(column.values[i], int | float) for i in known):
        return None
    largest = max(abs(column.values[i]) for i in known) or 1
    pairs = [(column.values[i] / largest, metric[i]) for i in known]
    if any(len(set(side)) < 2 for side in zip(*pairs, strict=True)):
        return None
    return statistics.correlation(*zip(*pairs, strict=True))
