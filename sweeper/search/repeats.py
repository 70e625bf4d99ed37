"""Repeats: several runs of each configuration, whose mean is what counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

from sweeper.run import Params, Run, RunState
from sweeper.space.parameter_space import params_key

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition


def groups(definition: SweepDefinition, runs: Iterable[Run]) -> list[list[Run]]:
    """Put the runs of one configuration together, in the order of their first ones; params without the count."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        bare = replace(run, params=_bare(definition, run.params))
        found.setdefault(params_key(bare.params), []).append(bare)
    return list(found.values())


def _bare(definition: SweepDefinition, params: Params) -> Params:
    return {name: value for name, value in params.items() if name != definition.sweeper.repeat_parameter}


def next_repeat(definition: SweepDefinition, runs: Sequence[Run]) -> Params | None:
    """Give the first configuration that lacks runs, with its next count; None if all have theirs.

    One that the file, which was edited since, does not hold any more gets no further runs.
    """
    name, space = definition.sweeper.repeat_parameter, definition.once.space
    counts: dict[str, set[Any]] = {}
    for run in runs if name else ():
        counts.setdefault(params_key(_bare(definition, run.params)), set()).add(run.params.get(name or ""))
    for group in groups(definition, runs):
        if len(group) < definition.sweeper.repeats and space.contains(group[0].params):
            taken = counts.get(params_key(group[0].params), set())
            free = (number for number in range(1, definition.sweeper.repeats + 1) if number not in taken)
            return counted(definition, group[0].params, next(free, len(group) + 1))  # one may have been deleted
    return None


def beyond(definition: SweepDefinition, runs: Iterable[Run]) -> list[bool]:
    """Tell of each run whether the file does not ask for it: its configuration is not there, or had its runs before."""
    made: dict[str, int] = {}
    found = []
    for run in runs:
        key = params_key(_bare(definition, run.params))
        asked = definition.space.contains(run.params) and made.get(key, 0) < definition.sweeper.repeats
        made[key] = made.get(key, 0) + asked
        found.append(not asked)
    return found


def counted(definition: SweepDefinition, params: Params, count: int) -> Params:
    """Write the count of the repeat into the parameters, if the file names one for it."""
    name = definition.sweeper.repeat_parameter
    return params if name is None else {**params, name: count}


def averaged(definition: SweepDefinition, runs: Iterable[Run]) -> list[Run]:
    """Make one run of each configuration: its value is the mean of the best values of its ended runs.

    Of several metrics, each counts with the mean of the last values.
    """
    return [_mean(definition, group) for group in groups(definition, runs)]


def _mean(definition: SweepDefinition, group: Sequence[Run]) -> Run:
    ended = [run for run in group if run.state.ended]
    values = [value for run in ended if (value := run.best(definition.goal)) is not None]
    if values:
        return replace(group[0], state=RunState.FINISHED, history=(fmean(values),))
    if several := [run.values for run in ended if run.values]:
        return replace(group[0], state=RunState.FINISHED, values=tuple(map(fmean, zip(*several, strict=True))))
    # Nothing to learn from yet: a running one still keeps the search away from its place.
    return next((run for run in group if not run.state.ended), group[0])
