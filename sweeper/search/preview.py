"""What the search would do with a definition before any run has reported: its first suggestions, its lowest rungs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Params, Run, RunState
from sweeper.search.suggest import suggest

SHOWN = 5
"""So many suggestions, and so many rungs."""


def first_rungs(definition: SweepDefinition) -> tuple[int, ...]:
    """Give the lowest rungs of early termination, in logged values; none of a rule that judges at every value."""
    rule = definition.stopping
    return () if rule is None else rule.rungs()[:SHOWN]


def first_suggestions(definition: SweepDefinition) -> tuple[Params, ...]:
    """Ask the search itself, as a server does that has heard of no result; a scheduler of its own is not asked."""
    return () if definition.scheduler else tuple(_suggestions(definition))


def _suggestions(definition: SweepDefinition) -> Iterator[Params]:
    runs: list[Run] = []
    for number in count():
        # without a seed in the file a server draws one, so these are then examples only
        suggestion = suggest(definition, runs, seed=definition.seed or 0)
        if suggestion is None or number == SHOWN:
            return
        yield suggestion.params
        runs.append(Run(id=str(number), state=RunState.PENDING, params=suggestion.params))
