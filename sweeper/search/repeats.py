"""Repeats: several runs of each configuration, whose mean is what counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

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
    """Give the first configuration that lacks runs, with its next count; None if all have theirs."""
    for group in groups(definition, runs):
        if len(group) < definition.sweeper.repeats:
            return counted(definition, group[0].params, len(group) + 1)
    return None


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
