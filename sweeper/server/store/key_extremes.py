"""The last, lowest and highest value of any logged key, for any number of runs.

They stand in the statistics of a run's keys, which every delivery brings up to date. Where they are not known (the run
is older than they are, or has sent a line again with another text) the history itself is read.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sweeper.metric_value import finite, float_or_nan, lookup
from sweeper.server.store import history_keys
from sweeper.server.strict_json import stored, text_of

PAGE = 500
"""Runs whose statistics are read at a time, and lines of a history."""
_PLAIN = re.compile(r"[A-Za-z0-9_/ .-]+\Z")
"""Keys that every JSON encoder writes as they are."""


class Extremes(NamedTuple):
    """Of a key's finite numbers in one run: the last logged, the lowest and the highest."""

    last: float
    low: float
    high: float


def extremes(db: sqlite3.Connection, run_ids: Collection[int], keys: Collection[str]) -> dict[int, dict[str, Extremes]]:
    """Give the extremes of some keys in some runs; a run or a key without a number is left out.

    Args:
        db: A connection.
        run_ids: The rows of the runs.
        keys: Keys of the history, dotted where they are nested. One that only the summary has is its value there.
    """
    found: dict[int, dict[str, Extremes]] = {}
    wanted, left = [*keys], iter(run_ids if keys else ())
    while page := list(islice(left, PAGE)):
        for run_id, statistics in _statistics(db, page, wanted):
            values = _of_run(db, run_id, statistics, wanted)
            if values:
                found[run_id] = values
    return found


def _statistics(
    db: sqlite3.Connection, run_ids: Sequence[int], keys: Sequence[str]
) -> list[tuple[int, Mapping[str, Any]]]:
    """Give what is known of some keys in each run."""
    # picked out by SQLite: to parse all statistics of ten thousand runs took twenty times as long
    plain = all(map(_PLAIN.match, keys))  # a path of SQLite's has no word for every key
    paths = [f'$.keys."{key}"' for key in keys if plain]
    picked = f"json_extract(history_keys, '$.sets'{', ?' * len(paths)})"
    # what holds a bare NaN is no JSON for it
    column = f"CASE WHEN json_valid(history_keys) THEN {picked} ELSE history_keys END" if plain else "history_keys"
    query = f"SELECT id, {column} FROM runs WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
    rows = db.execute(query, (*paths, json.dumps([*run_ids]))).fetchall()
    return [(run_id, _by_key(json.loads(text), keys)) for run_id, text in rows]


def _by_key(found: Mapping[str, Any] | Sequence[Any], keys: Sequence[str]) -> Mapping[str, Any]:
    """Give entries by their keys: of whole statistics, or of what was picked out of them."""
    if isinstance(found, Mapping):
        known: Mapping[str, Any] = found.get("keys", {})
        return known
    return {key: entry for key, entry in zip(keys, found[1:], strict=True) if entry is not None}


def _of_run(
    db: sqlite3.Connection, run_id: int, statistics: Mapping[str, Any], keys: Sequence[str]
) -> dict[str, Extremes]:
    found, unknown, absent = {}, [], []
    for key in keys:
        entry = statistics.get(key)
        if entry is None:
            absent.append(key)
        elif history_keys.EXTREMES not in entry:
            unknown.append(key)
        elif entry[history_keys.EXTREMES]:
            found[key] = Extremes(*entry[history_keys.EXTREMES])
    if unknown:
        found |= _read(db, run_id, unknown)
    if absent:
        found |= _in_summary(db, run_id, absent)
    return found


def complete(db: sqlite3.Connection, run_id: int) -> tuple[str, str] | None:
    """Read the extremes that a run's statistics lack from its history; None if they lack none.

    Returns:
        The statistics as they are, and as they are to be (`put`).
    """
    row = db.execute("SELECT history_keys FROM runs WHERE id = ?", (run_id,)).fetchone()
    statistics = stored(row["history_keys"]) if row else {}
    entries = statistics.get("keys", {})
    unknown = [key for key, entry in entries.items() if history_keys.EXTREMES not in entry]
    if not unknown:
        return None
    found = _read(db, run_id, unknown)
    for key in unknown:
        entries[key][history_keys.EXTREMES] = list(found.get(key, ()))
    return row["history_keys"], text_of(statistics)


def put(db: sqlite3.Connection, run_id: int, before: str, after: str) -> None:
    """Replace a run's statistics, unless it has logged more meanwhile."""
    db.execute("UPDATE runs SET history_keys = ? WHERE id = ? AND history_keys = ?", (after, run_id, before))


def _read(db: sqlite3.Connection, run_id: int, keys: Sequence[str]) -> dict[str, Extremes]:
    known: dict[str, Sequence[float]] = {}
    for rows in _rows(db, run_id):
        columns = history_keys.columns(rows)
        for key in keys:
            numbers = finite(columns.get(key, ()))
            known[key] = history_keys.join_extremes(known.get(key, ()), numbers)
    return {key: Extremes(*values) for key, values in known.items() if values}


def _rows(db: sqlite3.Connection, run_id: int) -> Iterator[list[dict[str, Any]]]:
    query = "SELECT text FROM lines WHERE run_id = ? AND stream = 'history' ORDER BY number"
    texts: Iterable[sqlite3.Row] = db.execute(query, (run_id,))
    while page := [stored(text) for (text,) in islice(texts, PAGE)]:
        yield page


def _in_summary(db: sqlite3.Connection, run_id: int, keys: Sequence[str]) -> dict[str, Extremes]:
    (text,) = db.execute("SELECT summary FROM runs WHERE id = ?", (run_id,)).fetchone()
    summary = json.loads(text)
    values = {key: float_or_nan(lookup(summary, key)) for key in keys}
    return {key: Extremes(*finite([value]) * 3) for key, value in values.items() if finite([value])}
