"""Which runs confirm a sweep: its best configurations times seeds that none of them has had, each exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from sweeper.backend.sweep_view import SweepView
from sweeper.definition.confirming import Link, searched_alone, searched_together, seed_path
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import ResultError
from sweeper.run import Params
from sweeper.search.confirmation import ConfirmingRuns
from sweeper.search.finalists import Finalist, bare, finalists
from sweeper.space.parameter_space import params_key
from sweeper.space.values import json_key

FIRST_SEED = 1001
"""Trainers default to 0, 1 or 42: from here on a seed is surely another one."""


@dataclass(frozen=True, slots=True)
class ConfirmPlan:
    """What there is to do.

    Attributes:
        finalists: The configurations, the best first.
        open: Sweeps registered before that have runs to give.
        new: Sweeps to register.
        seeds: How many more runs each configuration gets by these, in the order of the configurations.
        seed: The parameter that is the seed.
    """

    finalists: tuple[Finalist, ...]
    open: tuple[ConfirmingRuns, ...]
    new: tuple[SweepDefinition, ...]
    seeds: tuple[int, ...]
    seed: str


def check(view: SweepView, definition: SweepDefinition) -> None:
    """Refuse a sweep whose best configurations cannot be run again.

    Raises:
        ResultError: It has no metric or several, a scheduler of its own or no run with a value; or confirms another.
    """
    ref = view.ref
    if view.confirms:
        fix = f"for more seeds, confirm that one again: sweeper confirm {view.confirms} --seeds N"
        raise ResultError(f"sweep {ref} itself confirms sweep {view.confirms}", fix)
    if definition.scheduler:
        fix = "write the configurations into a sweep file of their own: `method: grid`, with the seeds as `values:`"
        raise ResultError(f"sweep {ref} has a scheduler of its own, which alone knows its parameters", fix)
    if definition.metrics:
        names = ", ".join(metric.name for metric in definition.metrics)
        fix = "write the runs of the front into a sweep file with one `metric:`: sweeper best --run ID shows each"
        raise ResultError(f"sweep {ref} has several metrics ({names}): no one run is its best", fix)
    if definition.metric is None:
        fix = "add a `metric:` to its file and create it again"
        raise ResultError(f"sweep {ref} has no metric: nothing says which of its runs are the best", fix)
    if not finalists(view.runs, definition.goal, ""):
        name, fix = definition.metric.name, f"wait for one, or run some: sweeper launch {ref.quoted}"
        raise ResultError(f"no run of sweep {ref} has finished with a value of {name}", fix)


def plan(
    view: SweepView,
    definition: SweepDefinition,
    earlier: Sequence[ConfirmingRuns],
    *,
    seed: str,
    top: int,
    seeds: int,
    config: Mapping[str, Any],
    together: bool,
) -> ConfirmPlan:
    """Say what is missing until each of the best configurations has its seeds.

    The same question after the same runs gets the same answer, so a command that was killed is simply given again.

    Args:
        view: The sweep.
        definition: Its file.
        earlier: The sweeps that confirm it so far.
        seed: The parameter that is the seed.
        top: How many configurations.
        seeds: How many seeds each is to have had, those of earlier confirmations included.
        config: The whole config of one of its runs, which may name the seed that all of them had.
        together: Whether the server runs one sweep of exactly these runs; if not, each configuration gets a grid.

    Raises:
        ResultError: The sweep's file was changed, and has none of the configurations that ran.
    """
    best = finalists(view.runs, definition.goal, seed)
    # what the file no longer holds, no sweep of it would run
    ranked = [one for one in best if not together or _is_held(definition, one, seed)][:top]
    if not ranked:
        fix = "put the values back into it that were taken out: sweeper edit"
        raise ResultError(f"the file of sweep {view.ref} no longer has what its runs were given", fix)
    had = {json_key(run.params[seed]) for run in view.runs if seed in run.params}
    had |= {json_key(value) for value in _dug(config, seed_path(definition, seed))}
    added = []
    for one in ranked:
        registered = _registered(one, earlier, seed)
        used = had | {json_key(point[seed]) for point in _points(one, earlier, seed)}
        free = (number for number in count(FIRST_SEED) if json_key(number) not in used)
        added.append(list(islice(free, max(0, seeds - registered))))
    about = Link(view.ref.sweep_id, seed)
    return ConfirmPlan(
        finalists=tuple(ranked),
        open=tuple(one for one in earlier if one.goes_on),
        new=tuple(_new(definition, about, ranked, added, together=together)),
        seeds=tuple(map(len, added)),
        seed=seed,
    )


def _is_held(definition: SweepDefinition, one: Finalist, seed: str) -> bool:
    space = definition.space
    drawn = {seed: space.distributions[seed].ppf(0.5)} if seed in space.distributions else {}
    return space.contains(space.active({**one.params, **drawn}))


def _new(
    definition: SweepDefinition,
    about: Link,
    ranked: Sequence[Finalist],
    added: Sequence[Sequence[int]],
    *,
    together: bool,
) -> list[SweepDefinition]:
    if not any(added):
        return []
    if not together:
        pairs = zip(ranked, added, strict=True)
        return [searched_alone(definition, about, one.params, seeds) for one, seeds in pairs if seeds]
    rounds = range(max(map(len, added)))
    # a seed of each configuration after the other: half of a confirmation then says something about all
    points = [
        {**one.params, about.seed: seeds[number]}
        for number in rounds
        for one, seeds in zip(ranked, added, strict=True)
        if number < len(seeds)
    ]
    return [searched_together(definition, about, points)]


def _registered(one: Finalist, earlier: Sequence[ConfirmingRuns], seed: str) -> int:
    """Count the runs that a configuration has in earlier confirmations, or will have."""
    return sum(
        params_key(point) in {params_key(run.params) for run in sweep.runs} or sweep.goes_on
        for sweep in earlier
        for point in _points(one, [sweep], seed)
    )


def _points(one: Finalist, earlier: Sequence[ConfirmingRuns], seed: str) -> list[Params]:
    key = params_key(one.params)
    return [point for sweep in earlier for point in sweep.planned if params_key(bare(point, seed)) == key]


def _dug(config: Any, path: Sequence[str]) -> list[Any]:
    for name in path:
        if not isinstance(config, Mapping) or name not in config:
            return []
        config = config[name]
    return [config]
