"""Suggestions in the database."""

from __future__ import annotations

from sweeper.search import Suggestion
from sweeper.server.store import runs, suggestions
from sweeper.server.store.suggestions import NumberedSuggestion

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}


def written(number: int, lr: float | None) -> NumberedSuggestion:
    found = None if lr is None else Suggestion({"lr": lr}, "grid/1", 3)
    return NumberedSuggestion.of(number, found, seed=3, based_on=2)


def test_suggestions_come_back_as_they_were_in_the_order_of_their_numbers(table):
    """The end of a search is kept like any other; a second one of a number takes the first one's place."""
    sweep = table.sweep(GRID)
    with table.store.write() as db:
        for suggestion in (written(3, None), written(1, 0.1), written(2, 0.9), written(2, 0.2)):
            suggestions.put(db, sweep.id, suggestion)
        assert suggestions.of_sweep(db, sweep.id) == [written(1, 0.1), written(2, 0.2), written(3, None)]
        assert suggestions.of_sweep(db, sweep.id)[0].key == runs.key_of({"lr": 0.1})


def test_suggestions_are_removed_alone_or_from_a_number_on(table):
    """What stands before stays, and other sweeps' suggestions do."""
    sweep, other = table.sweep(GRID), table.sweep(GRID)
    with table.store.write() as db:
        for number in (1, 2, 3, 4):
            suggestions.put(db, sweep.id, written(number, number / 10))
        suggestions.put(db, other.id, written(1, 0.5))
        suggestions.remove(db, sweep.id, 1)
        suggestions.remove_from(db, sweep.id, 3)
        assert [found.number for found in suggestions.of_sweep(db, sweep.id)] == [2]
        suggestions.remove_from(db, sweep.id)
        assert suggestions.of_sweep(db, sweep.id) == []
        assert suggestions.of_sweep(db, other.id) == [written(1, 0.5)]


def test_results_make_a_suggestion_old_and_the_end_of_a_search_too():
    """One that knew two results is up to date with two, and where results do not matter; a target may be lost again."""
    assert written(1, 0.1).is_up_to_date(2)
    assert written(1, 0.1).is_up_to_date(None)
    assert not written(1, 0.1).is_up_to_date(3)
    assert not written(1, None).is_up_to_date(3)
