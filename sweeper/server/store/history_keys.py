"""Reading histories: keys and their types, samples, rows with given keys. Pure."""

from __future__ import annotations

import json
import math
import operator
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sweeper.metric_value import Reading, finite, lookup, may_aggregate, reading
from sweeper.server.store.lines import HistoryLine

DEFAULT_SAMPLES = 500
MAX_KEYS = 50_000
"""Keys of a run that are counted, the first ones: what is known of each is read and written with every delivery."""
EXTREMES = "extremes"
"""Where a key's statistics have its last, lowest and highest finite number, so far; without it nobody knows them."""
T = TypeVar("T")


def add_keys(keys: Mapping[str, Any], history: Sequence[HistoryLine]) -> dict[str, Any]:
    """Bring the key statistics of a run up to date with new lines.

    Args:
        keys: What `historyKeys` answered so far, or an empty mapping.
        history: The lines that came in, each for the first time.
    """
    counted = dict(keys.get("keys", {}))
    steps = (step for line in history if (step := line.step) is not None)
    last_step = max(keys.get("lastStep", -1), max(steps, default=-1))
    for name, values in columns([line.row for line in history]).items():
        if name not in counted and len(counted) >= MAX_KEYS:
            continue
        counted[name] = _count(counted.get(name), values)
    return {"sets": [], "keys": counted, "lastStep": last_step}


def columns(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Any]]:
    """Give the values of each key, by its dotted name."""
    names = list(rows[0]) if rows else []
    if all(list(row) == names for row in rows):  # as nearly always: turned over as a whole
        whole = dict(zip(names, zip(*(row.values() for row in rows), strict=True), strict=True))
        if not any(dict in set(map(type, values)) for values in whole.values()):
            return whole
    found: dict[str, list[Any]] = {}
    for row in rows:
        _spread(row, found)
    return found


def _spread(row: Mapping[str, Any], columns: dict[str, list[Any]], prefix: str = "") -> None:
    """Add a row's values to columns with dotted names; a mapping with `_type` is one media value."""
    for name, value in row.items():
        if type(value) is dict and "_type" not in value:  # `type is`: parsed JSON has no subclasses, and this is hot
            _spread(value, columns, f"{prefix}{name}.")
        else:
            columns.setdefault(prefix + name, []).append(value)


def _count(entry: dict[str, Any] | None, values: Sequence[Any]) -> dict[str, Any]:
    """Count a key's new values; nearly always they are numbers."""
    # by column and not by value: a delivery of a thousand rows has some twenty keys
    only_numbers = set(map(type, values)) <= {int, float}
    kinds = {"number": len(values)} if only_numbers else Counter(map(_kind, values))
    numbers = values if only_numbers else [value for value in values if _kind(value) == "number"]
    entry = dict(entry) if entry else {"typeCounts": [], "monotonic": _kind(values[0]) == "number", EXTREMES: []}
    types = {known["type"]: known["count"] for known in entry["typeCounts"]}
    types |= {kind: types.get(kind, 0) + count for kind, count in kinds.items()}
    entry["typeCounts"] = [{"type": name, "count": number} for name, number in types.items()]
    if numbers:
        if entry["monotonic"]:
            before = entry.get("previousValue", numbers[0])
            entry["monotonic"] = before <= numbers[0] and all(map(operator.le, numbers, numbers[1:]))
        entry["previousValue"] = numbers[-1]
        if EXTREMES in entry:  # a run that an older server counted has none, and some of its values make none
            entry[EXTREMES] = join_extremes(entry[EXTREMES], numbers)
    return entry


def join_extremes(known: Sequence[float], numbers: Sequence[float]) -> Sequence[float]:
    """Bring the last, the lowest and the highest of a key's finite numbers up to date; none of them before the first.

    Args:
        known: What they were so far.
        numbers: What came in, without booleans.
    """
    if not _all_finite(numbers):
        numbers = finite(numbers)
    if not numbers:
        return known
    low, high = min(numbers), max(numbers)
    return [numbers[-1], min(low, known[1]), max(high, known[2])] if known else [numbers[-1], low, high]


def _all_finite(numbers: Sequence[float]) -> bool:
    """Whether none of many numbers is NaN, infinite or more than a float holds; one that says no may be wrong."""
    try:
        return math.isfinite(sum(numbers))  # quicker than to look at each
    except OverflowError:
        return False


def without_extremes(keys: str) -> str:
    """Take the extremes out of a run's key statistics: lines that were counted have become others.

    Args:
        keys: The statistics, as JSON, and so is what is given back.
    """
    known = json.loads(keys)
    for entry in known.get("keys", {}).values():
        entry.pop(EXTREMES, None)
    return json.dumps(known)


def counts(keys: Mapping[str, Any]) -> dict[str, int]:
    """Read out of a run's key statistics how often each key was logged."""
    return {name: sum(known["count"] for known in entry["typeCounts"]) for name, entry in keys.get("keys", {}).items()}


def reading_of(keys: str, metric: str) -> Reading:
    """Say where a metric is found in the history of a run.

    Args:
        keys: The run's key statistics, as JSON.
        metric: The name of the metric.
    """
    if not may_aggregate(metric):  # as nearly always: nothing needs to be parsed
        return Reading(metric)
    return reading(metric, json.loads(keys).get("keys", {}))


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["_type"])
    if isinstance(value, bool) or value is None:
        return "nil" if value is None else "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array"


def sample(items: Sequence[T], limit: int) -> Sequence[T]:
    """Thin out evenly to at most `limit` items, the first and the last among them."""
    if limit < 1:
        return []
    if len(items) <= limit:
        return items
    if limit == 1:
        return items[-1:]
    last = len(items) - 1
    return [items[i * last // (limit - 1)] for i in range(limit)]


def rows_with(texts: Iterable[str], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Give the rows that hold every one of the keys, cut down to them."""
    found = []
    for text in texts:
        if not all(key.split(".")[0] in text for key in keys):  # most rows fall here, unparsed
            continue
        row = json.loads(text)
        values = {key: lookup(row, key) for key in keys}
        if all(value is not None for value in values.values()):
            found.append(values)
    return found
