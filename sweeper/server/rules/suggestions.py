"""Suggestions computed ahead: what a sweep's next runs will be, each as if those before it were runs already.

They are numbered as the runs they will become. So a suggestion is right exactly if the sweep's runs are the ones it
was computed for: the next number is its own, and none before it is left over.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from sweeper.search import Suggestion, random_search
from sweeper.search.suggest import REDRAWS
from sweeper.server.store import runs, sweep_runs, sweeps
from sweeper.server.store import suggestions as kept
from sweeper.server.store.database import Connection
from sweeper.server.store.suggestions import NumberedSuggestion
from sweeper.server.store.sweeps import Sweep

LEAST, MOST = 2, 8
"""Suggestions kept for a sweep: as many as it has runs under way, within these limits."""


@dataclass(frozen=True, slots=True)
class SearchOrder:
    """What shall be computed for a sweep that has made `made` runs: the suggestion that follows those given."""

    sweep_id: int
    definition: str
    made: int
    given: tuple[NumberedSuggestion, ...]

    @property
    def number(self) -> int:
        """The number of the run in question."""
        return self.made + len(self.given) + 1


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What came of an order.

    Attributes:
        found: The suggestion; None if the sweep has made other runs meanwhile, or on an error.
        error: What went wrong in the search; empty if nothing did.
    """

    found: NumberedSuggestion | None = None
    error: str = ""


# Both go to and fro as JSON: bytes that are not of ours could be anything but not code.
ORDERS = TypeAdapter(SearchOrder)
ANSWERS = TypeAdapter(SearchAnswer)


def ahead(db: Connection, sweep_id: int) -> list[NumberedSuggestion]:
    """List a sweep's suggestions in the order of their numbers, without those that runs have overtaken."""
    found = kept.of_sweep(db, sweep_id)
    # Runs by hand and runs that were deleted shift the numbers: then none of them is for the next run.
    return found if found and found[0].number == runs.count(db, sweep_id) + 1 else []


def take(db: Connection, sweep_id: int) -> NumberedSuggestion | None:
    """Take the suggestion for a sweep's next run; None if there is none."""
    found = next(iter(ahead(db, sweep_id)), None)
    if found is None:
        kept.remove_from(db, sweep_id)
    elif found.params is not None:  # the end stays where it is, for every agent that asks
        kept.remove(db, sweep_id, found.number)
    elif not found.is_up_to_date(_results(db, sweeps.get(db, sweep_id))):
        return None  # a run that had reached the target may have failed since
    return found


def next_order(db: Connection, sweep_id: int) -> SearchOrder | None:
    """Say which suggestion of a sweep is the next to compute: the first out of date, unless hardly any are there."""
    sweep = sweeps.get(db, sweep_id)
    if sweep.state.ended or sweep.exhausted or sweep.definition.scheduler or _is_drawn(db, sweep):
        return None
    known, wanted = ahead(db, sweep_id), _wanted(db, sweep_id)
    results = _results(db, sweep)
    stale = (i for i, entry in enumerate(known) if not entry.is_up_to_date(results))
    place = len(known) if len(known) < LEAST else next(stale, len(known))
    # Behind the end of a search there is nothing to compute.
    if place >= wanted or (place > 0 and known[place - 1].params is None):
        return None
    return SearchOrder(sweep_id, sweep.definition_text, runs.count(db, sweep_id), tuple(known[:place]))


def _results(db: Connection, sweep: Sweep) -> int | None:
    """Count the results that a search knows; None if they do not matter to it."""
    return sweep_runs.count_ended(db, sweep.id) if sweep.definition.learns else None


def _is_drawn(db: Connection, sweep: Sweep) -> bool:
    """Whether the next run needs no computing ahead: `draw` will give it at once."""
    if sweep.definition.method != "random" or not _is_plain(sweep) or sweep_runs.has_unkeyed(db, sweep.id):
        return False
    size = sweep.definition.space.size
    return size is None or runs.count(db, sweep.id) < size / 2  # near the end a draw may find nothing


def _is_plain(sweep: Sweep) -> bool:
    return sweep.definition.sweeper.repeats == 1 and not sweep.definition.sweeper.initial


def _wanted(db: Connection, sweep_id: int) -> int:
    """Say how many suggestions to keep: at first nobody knows how many agents will come."""
    if runs.count(db, sweep_id) == 0:
        return MOST
    return min(MOST, max(LEAST, runs.count(db, sweep_id, runs.UNFINISHED)))


def keep(db: Connection, order: SearchOrder, found: NumberedSuggestion) -> bool:
    """Store what was computed, unless the sweep has gone another way meanwhile; tell whether it was stored."""
    sweep = sweeps.get(db, order.sweep_id)
    if sweep.definition_text != order.definition:  # a sweep without an agent can still be given another file
        return False
    known, number = ahead(db, sweep.id), found.number
    if not _holds(db, order, known):
        if known or not _is_free(db, sweep, found):
            return False
        # An empty hand is worse than a suggestion that does not know the last run.
        number = runs.count(db, sweep.id) + 1
    kept.remove_from(db, sweep.id, _valid_until(sweep, known, found) + 1)
    kept.put(db, sweep.id, replace(found, number=number))
    return True


def _holds(db: Connection, order: SearchOrder, known: Sequence[NumberedSuggestion]) -> bool:
    """Whether the sweep's runs and suggestions before the order's number are still what was given."""
    made = runs.count(db, order.sweep_id) - order.made
    if made < 0 or made > len(order.given):
        return False
    new = sweep_runs.last_keys(db, order.sweep_id, made)
    left = [entry.key for entry in known[: len(order.given) - made]]
    return new + left == [entry.key for entry in order.given]


def _is_free(db: Connection, sweep: Sweep, found: NumberedSuggestion) -> bool:
    """Whether a suggestion may be used though it does not know all runs."""
    endless = sweep.definition.space.size is None
    return (
        found.params is not None and endless and _is_plain(sweep) and not sweep_runs.has_params(db, sweep.id, found.key)
    )


def _valid_until(sweep: Sweep, known: Sequence[NumberedSuggestion], found: NumberedSuggestion) -> int:
    """Give the last number whose suggestion may stay behind a new one; it was computed behind another."""
    behind = [entry for entry in known if entry.number > found.number]
    # What follows the end, or counts the repeats before it, was computed for another past.
    if found.params is None or sweep.definition.sweeper.repeats > 1:
        return found.number
    same = [entry.number for entry in behind if entry.key == found.key]
    return same[0] - 1 if same else found.number + len(behind)


def draw(db: Connection, sweep: Sweep) -> NumberedSuggestion | None:
    """Draw a configuration no run has without reading the runs; None if that cannot be told, or nothing is found.

    For `method: random` it is the very one that `suggest` gives.
    """
    if sweep.definition.method == "grid" or not _is_plain(sweep) or sweep_runs.has_unkeyed(db, sweep.id):
        return None
    made, seed = runs.count(db, sweep.id), sweep.search_seed
    rng = random.Random(f"{seed}/{made}")  # noqa: S311 no secret
    params = random_search.draw(
        sweep.definition.space,
        lambda params: sweep_runs.has_params(db, sweep.id, runs.key_of(params)),
        rng,
        redraws=REDRAWS,
    )
    if params is None:
        return None
    return NumberedSuggestion.of(made + 1, Suggestion(params, random_search.ENGINE, seed), seed=seed, based_on=0)
