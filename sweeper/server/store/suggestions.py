"""Suggestions computed ahead, in the database: what a sweep's next runs will be, by the number each will have."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import astuple, dataclass
from typing import ClassVar

from pydantic import ConfigDict

from sweeper.search import Suggestion
from sweeper.server.store import runs


@dataclass(frozen=True, slots=True)
class NumberedSuggestion:
    """A suggestion for the run of one number.

    Attributes:
        number: The number; 1 is the sweep's first run.
        params: The parameters as JSON; None if there is nothing left for a run of this number.
        key: The same for equal parameters.
        engine: What proposed them.
        seed: What it drew from.
        based_on: How many ended runs it knew.
    """

    # It crosses to the search process and back as JSON, and JSON has no bytes.
    __pydantic_config__: ClassVar = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    number: int
    params: str | None
    key: bytes
    engine: str
    seed: int
    based_on: int

    def is_up_to_date(self, results: int | None) -> bool:
        """Whether it knows all results; None if they do not matter to the search."""
        return results in {None, self.based_on}

    @classmethod
    def of(cls, number: int, found: Suggestion | None, *, seed: int, based_on: int) -> NumberedSuggestion:
        """Write down what a search came to."""
        if found is None:
            return cls(number, None, b"", "", seed, based_on)
        return cls(number, json.dumps(found.params), runs.key_of(found.params), found.engine, found.seed, based_on)


def of_sweep(db: sqlite3.Connection, sweep_id: int) -> list[NumberedSuggestion]:
    """List a sweep's suggestions in the order of their numbers."""
    query = (
        "SELECT number, params, params_key, engine, seed, based_on FROM suggestions WHERE sweep_id = ? ORDER BY number"
    )
    return [NumberedSuggestion(*row) for row in db.execute(query, (sweep_id,))]


def put(db: sqlite3.Connection, sweep_id: int, suggestion: NumberedSuggestion) -> None:
    """Keep a suggestion, in place of an earlier one for the same number."""
    db.execute("INSERT OR REPLACE INTO suggestions VALUES (?, ?, ?, ?, ?, ?, ?)", (sweep_id, *astuple(suggestion)))


def remove(db: sqlite3.Connection, sweep_id: int, number: int) -> None:
    """Forget the suggestion for one number."""
    db.execute("DELETE FROM suggestions WHERE sweep_id = ? AND number = ?", (sweep_id, number))


def remove_from(db: sqlite3.Connection, sweep_id: int, first: int = 0) -> None:
    """Forget a sweep's suggestions from a number on: all of them, if none is given."""
    db.execute("DELETE FROM suggestions WHERE sweep_id = ? AND number >= ?", (sweep_id, first))
