"""Bayesian search on Optuna: the only module that imports it, and the only one that says "trial".

A study is rebuilt from the runs at every call, so SQLite stays the only state. Every parameter is one dimension of the
study through its law's CDF (a uniform prior whatever the law), its index where its values can be listed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from sweeper.definition import SweepDefinition
from sweeper.laws import Distribution, json_key
from sweeper.run import Params, Run

MAX_INDEXED = 1000
"""A law with more values than this is modelled as continuous and rounded on the way out."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


def propose(definition: SweepDefinition, runs: Sequence[Run], *, seed: int) -> Params:
    """Ask the sampler for a configuration, given what finished, failed and is running.

    Failed runs count as the worst value seen (W&B's `impute: worst`), early-stopped ones as their best logged value,
    and running ones keep parallel suggestions apart.
    """
    searched = definition.space.searched
    axes = {name: _axis(law) for name, law in searched.items()}
    study = optuna.create_study(direction=definition.goal, sampler=optuna.samplers.TPESampler(seed=seed))
    known = [run for run in runs if _fits(definition, run)]
    values = [value for run in known if (value := run.best(definition.goal)) is not None]
    worst = max(values, default=0.0) if definition.goal == "minimize" else min(values, default=0.0)
    study.add_trials([_trial(run, definition, axes, worst) for run in known])
    trial = study.ask(axes)
    drawn = {name: _decode(searched[name], trial.params[name]) for name in axes}
    fixed = {name: law.ppf(0.0) for name, law in definition.space.laws.items() if name not in searched}
    return definition.space.active({name: {**fixed, **drawn}[name] for name in definition.space.laws})


def _fits(definition: SweepDefinition, run: Run) -> bool:
    """Whether a run has a value of the space for every parameter that is searched and active in it."""
    space = definition.space
    active = space.active({**dict.fromkeys(space.laws), **run.params})
    return all(
        name in run.params and law.contains(run.params[name]) for name, law in space.searched.items() if name in active
    )


def _trial(
    run: Run, definition: SweepDefinition, axes: dict[str, BaseDistribution], worst: float
) -> optuna.trial.FrozenTrial:
    laws, value = definition.space.laws, run.best(definition.goal)
    params = definition.space.active(run.params)
    return optuna.trial.create_trial(
        state=TrialState.COMPLETE if run.state.ended else TrialState.RUNNING,
        params={name: _encode(laws[name], params[name]) for name in axes if name in params},
        distributions={name: axis for name, axis in axes.items() if name in params},
        value=(worst if value is None else value) if run.state.ended else None,
    )


def _indexed(law: Distribution) -> tuple[Any, ...] | None:
    support = law.support
    return support if support is not None and len(support) <= MAX_INDEXED else None


def _axis(law: Distribution) -> BaseDistribution:
    support = _indexed(law)
    if support is None:
        return FloatDistribution(0.0, 1.0)
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in support)
    if numeric and list(support) == sorted(support):
        return IntDistribution(0, len(support) - 1)
    return CategoricalDistribution(range(len(support)))


def _encode(law: Distribution, value: Any) -> float:
    support = _indexed(law)
    if support is None:
        return min(1.0, max(0.0, law.cdf(value)))
    return next(i for i, known in enumerate(support) if _same(known, value))


def _same(known: Any, value: Any) -> bool:
    """Whether a run's value is one of the law's: equal as JSON, or as near as rounding leaves a multiple of q."""
    if json_key(known) == json_key(value):
        return True
    return isinstance(known, float) and isinstance(value, float) and math.isclose(known, value, rel_tol=1e-8)


def _decode(law: Distribution, coordinate: float) -> Any:
    support = _indexed(law)
    return law.ppf(coordinate) if support is None else support[int(coordinate)]
