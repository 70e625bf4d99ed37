"""Parts of long histories: what is asked for is looked up, the rest stays on disk.

A sample is made by cells: the lines in question are cut into as many cells as rows are wanted, and the first fitting
line of each is taken. Where every line fits these are evenly spread lines, the first and the last among them.
"""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sweeper.metric_value import lookup
from sweeper.server.store import history_keys, lines
from sweeper.server.store.lines import MAX_INTEGER, Stream
from sweeper.server.strict_json import stored

LIVE_STEPS = 1000
READ_WHOLE = 1000
"""A part of so many lines is quick to read whole; of sparse keys its cells would give fewer rows than asked for."""
_PLAIN = re.compile(r"[A-Za-z0-9_/ -]+\Z")
"""Keys that every JSON encoder writes as they are."""
# INDEXED BY: without the index this would be a walk over a million lines; if it ever goes, that is an error at once
_BY_STEP = "FROM lines INDEXED BY lines_by_step WHERE run_id = :run AND stream = 'history'"
_PLACE = "run_id = :run AND stream = 'history' AND number >= {first} AND number < {end}"


def texts(db: sqlite3.Connection, run_id: int, stream: Stream, limit: int) -> list[str]:
    """Give at most `limit` lines of a stream, evenly spread."""
    end = lines.count(db, run_id, stream)
    if end <= limit or limit < 1:
        return lines.texts(db, run_id, stream) if limit > 0 else []
    # the next line there is: a stream may have gaps where a client's request never came
    query = (
        "SELECT text FROM lines WHERE run_id = :run AND stream = :stream AND number IN ("
        " SELECT (SELECT min(number) FROM lines WHERE run_id = :run AND stream = :stream AND number >= t.value)"
        " FROM json_each(:targets) t) ORDER BY number"
    )
    targets = json.dumps(list(history_keys.sample(range(end), limit)))
    found = db.execute(query, {"run": run_id, "stream": stream, "targets": targets})
    return [row["text"] for row in lines.bounded(found)]


def live_steps(db: sqlite3.Connection, run_id: int) -> list[int]:
    """Give the steps of the history, of a long one the ends: the SDK (0.29, 0.31) reads where it begins."""
    if lines.count(db, run_id, Stream.HISTORY) <= LIVE_STEPS:
        return lines.steps(db, run_id)
    query = (
        f"SELECT (SELECT min(step) {_BY_STEP} AND step IS NOT NULL), (SELECT max(step) {_BY_STEP} AND step IS NOT NULL)"
    )
    ends = db.execute(query, {"run": run_id}).fetchone()
    return [step for step in ends if step is not None]


def between(db: sqlite3.Connection, run_id: int, first: int, end: int, limit: int) -> list[str]:
    """Give at most `limit` lines of the history with `first` <= step < `end`."""
    part = _Part(db, run_id, (), first, end)
    if part.count() <= limit:
        return lines.history_between(db, run_id, first, end)
    return [text for text, _ in part.sample(limit)]


def rows(
    db: sqlite3.Connection,
    run_id: int,
    keys: Sequence[str],
    *,
    counts: Mapping[str, int],
    first: int,
    end: int,
    limit: int,
) -> list[dict[str, Any]]:
    """Give at most `limit` rows of the history that hold all of some keys, cut down to them.

    Args:
        db: A connection.
        run_id: The run.
        keys: The keys, dotted where they are nested.
        counts: How often each key was logged, as far as it is known.
        first: The step from which on rows count.
        end: The step before which they do.
        limit: How many rows; none is left out if there are not more.
    """
    part = _Part(db, run_id, keys, first, end)
    fewest = min((counts.get(key, 0) for key in keys), default=0)
    if fewest <= limit or part.width() <= max(limit, READ_WHOLE):
        found = [values for _, values in part.fitting()]
        return list(history_keys.sample(found, limit))
    return [values for _, values in part.sample(limit)]


class _Part:
    """The lines of a history within a range of steps that hold some keys."""

    def __init__(self, db: sqlite3.Connection, run_id: int, keys: Sequence[str], first: int, end: int) -> None:
        self._db, self._keys = db, keys
        # a line without the key's text cannot hold the key: SQLite sorts those out, without their JSON being parsed
        needles = {name: needle for name, needle in zip(_names(), map(_needle, keys), strict=False) if needle}
        self._given: dict[str, Any] = {"run": run_id, "first": first, "end": end, **needles}
        self._filter = "".join(f" AND instr(text, :{name})" for name in needles)
        self._whole = first <= 0 and end >= MAX_INTEGER
        self._steps = " AND step >= :first AND step < :end"

    def count(self) -> int:
        """Count the lines within the range."""
        query = f"SELECT count(*) {_BY_STEP}{self._steps}"
        number: int = self._db.execute(query, self._given).fetchone()[0]
        return number

    def width(self) -> int:
        """Give the number of places that the range spans."""
        low, high = self._span()
        return high - low + 1

    def _span(self) -> tuple[int, int]:
        """Give the places of the first and the last line; of a part of the history by its index of steps."""
        places = "FROM lines WHERE run_id = :run AND stream = 'history'" if self._whole else _BY_STEP + self._steps
        query = f"SELECT (SELECT min(number) {places}), (SELECT max(number) {places})"
        low, high = self._db.execute(query, self._given).fetchone()
        return (0, -1) if low is None else (low, high)

    def fitting(self, span: tuple[int, int] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Walk through the lines that hold all keys, with the keys' values."""
        low, high = span or self._span()
        place = _PLACE.format(first=":low", end=":high")
        query = f"SELECT text FROM lines WHERE {place}{self._steps}{self._filter} ORDER BY number"  # noqa: S608
        for row in self._db.execute(query, {**self._given, "low": low, "high": high + 1}):
            values = self._values(row["text"])
            if values is not None:
                yield row["text"], values

    def sample(self, limit: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the first fitting line of each of `limit` cells."""
        low, high = self._span()
        starts = [*history_keys.sample(range(low, high + 1), limit), high + 1]
        place = _PLACE.format(first="c.low", end="c.high")
        first = f"SELECT text FROM lines WHERE {place}{self._steps}{self._filter} ORDER BY number LIMIT 1"  # noqa: S608
        split = "SELECT value ->> 0 AS low, value ->> 1 AS high FROM json_each(:cells)"
        query = f"WITH cells AS ({split}) SELECT low, high, ({first}) AS text FROM cells c"  # noqa: S608
        cells = json.dumps(list(itertools.pairwise(starts)))
        for row in lines.bounded(self._db.execute(query, {**self._given, "cells": cells})):
            if row["text"] is None:
                continue
            values = self._values(row["text"])
            if values is not None:
                yield row["text"], values
            elif found := next(self.fitting((row["low"], row["high"] - 1)), None):
                yield found  # the first line only looked as if it held the keys

    def _values(self, text: str) -> dict[str, Any] | None:
        if not self._keys:
            return {}
        row = stored(text)
        values = {key: lookup(row, key) for key in self._keys}
        return values if all(value is not None for value in values.values()) else None


def _names() -> Iterator[str]:
    return (f"needle{i}" for i in itertools.count())


def _needle(key: str) -> str | None:
    """Give what a line with a key must contain; a dotted key may be nested."""
    name, dot, _ = key.partition(".")
    return (f'"{name}' if dot else f'"{name}"') if _PLAIN.match(name) else None
