"""The best configurations of a sweep, by its own runs: what is worth being run again with other seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from sweeper.run import Goal, Params, Run, best_value, sign
from sweeper.space.parameter_space import params_key


@dataclass(frozen=True, slots=True)
class Finalist:
    """A configuration that a sweep has tried.

    Attributes:
        params: Its parameters, flat and without the seed.
        value: The mean of its runs' best values.
        runs: How many there are.
        run: The id of the best of them.
    """

    params: Params
    value: float
    runs: int
    run: str


def finalists(runs: Iterable[Run], goal: Goal, seed: str) -> list[Finalist]:
    """Rank the configurations of a sweep, the best first, of equals the earliest.

    Runs of one configuration that differ in their seed count together, with their mean. What counts is what may be the
    best of a sweep (`Run.may_lead`) and will not change any more.

    Args:
        runs: The sweep's runs, the oldest first; those attached to it are left out.
        goal: Whether low or high values are good.
        seed: The parameter that is no part of a configuration.
    """
    groups: dict[str, list[tuple[float, Run]]] = {}
    for run in runs:
        value = run.best(goal)
        if run.state.ended and run.may_lead and not run.prior and value is not None:
            groups.setdefault(params_key(bare(run.params, seed)), []).append((value, run))
    found = []
    for group in groups.values():
        best = best_value(goal, (value for value, _ in group))
        leader = next(run for value, run in group if value == best)
        found.append(Finalist(bare(leader.params, seed), fmean(value for value, _ in group), len(group), leader.id))
    return sorted(found, key=lambda one: sign(goal) * one.value)


def bare(params: Params, seed: str) -> Params:
    """Leave the seed out of parameters."""
    return {name: value for name, value in params.items() if name != seed}
