"""What the search would do with a definition before any run has reported: its first suggestions, its lowest rungs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Params, Run, RunState
from sweeper.search.suggest import suggest

SHOWN = 5
"""So many suggestions, and so many rungs."""


def first_rungs(definition: SweepDefinition) -> tuple[int, ...]:
    """Give the lowest rungs of early termination, in logged values; none of a rule that judges at every value."""
    rule = definition.stopping
    return () if rule is None else rule.rungs()[:SHOWN]


def first_suggestions(
    definition: SweepDefinition, number: int = SHOWN, *, seed: int | None = None
) -> tuple[Params, ...]:
    """Ask the search itself, as a server does that has heard of no result; a scheduler of its own is not asked.

    Args:
        definition: The sweep.
        number: How many suggestions; fewer if the sweep has no more.
        seed: What to draw from, instead of the file's.
    """
    return () if definition.scheduler else tuple(islice(_suggestions(definition, seed), number))


def seed_of(definition: SweepDefinition, seed: int | None = None) -> int:
    """Give the seed that suggestions are drawn from: the one asked for, the file's, or 0.

    Without one in the file a server draws one of its own, so what 0 gives are examples only.
    """
    return next((one for one in (seed, definition.seed) if one is not None), 0)


def _suggestions(definition: SweepDefinition, seed: int | None) -> Iterator[Params]:
    runs: list[Run] = []
    drawn_from = seed_of(definition, seed)
    for number in count():
        suggestion = suggest(definition, runs, seed=drawn_from)
        if suggestion is None:
            return
        yield suggestion.params
        runs.append(Run(id=str(number), state=RunState.PENDING, params=suggestion.params))


def shown(definition: SweepDefinition, sample: Params) -> dict[str, object]:
    """Leave out of a suggestion what is the same in all of them, unless that is everything."""
    varied = definition.space.searched
    return {name: value for name, value in sample.items() if name in varied} or dict(sample)
