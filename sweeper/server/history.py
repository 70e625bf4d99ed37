"""Reading histories: keys and their types, samples, rows with given keys. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sweeper.run import lookup
from sweeper.server.lines import HistoryLine

DEFAULT_SAMPLES = 500
T = TypeVar("T")


def add_keys(keys: Mapping[str, Any], history: Sequence[HistoryLine]) -> dict[str, Any]:
    """Bring the key statistics of a run up to date with new lines.

    Args:
        keys: What `historyKeys` answered so far, or an empty mapping.
        history: The lines that came in, each for the first time.
    """
    counted = {name: dict(entry) for name, entry in keys.get("keys", {}).items()}
    last_step = keys.get("lastStep", -1)
    for line in history:
        last_step = max(last_step, line.step if line.step is not None else -1)
        for name, value in _flat(line.row):
            counted[name] = _count(counted.get(name), value)
    return {"sets": [], "keys": counted, "lastStep": last_step}


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk nested mappings with dotted names; a mapping with `_type` is one media value."""
    for name, value in row.items():
        if isinstance(value, dict) and "_type" not in value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _count(entry: dict[str, Any] | None, value: Any) -> dict[str, Any]:
    kind = _kind(value)
    entry = entry or {"typeCounts": [], "monotonic": kind == "number"}
    types = {known["type"]: known["count"] for known in entry["typeCounts"]}
    types[kind] = types.get(kind, 0) + 1
    entry["typeCounts"] = [{"type": name, "count": number} for name, number in types.items()]
    if kind == "number":
        entry["monotonic"] = entry["monotonic"] and value >= entry.get("previousValue", value)
        entry["previousValue"] = value
    return entry


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
