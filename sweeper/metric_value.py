"""How a metric's values are found in what a run logged: the one law, for the search, the server, the client and pages.

A metric's name is a key of the history: one that was logged so, dots and all, else a path into nested values, as
`val.loss` is in `{"val": {"loss": 0.3}}`. If no row has it, and it ends with `.min`, `.max`, `.mean`, `.first`, `.last`
or `.best`, it is that aggregate of the key before. A run without such rows may still have the value in its summary.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.run import Goal, best_value

_AGGREGATES: Mapping[str, Callable[[Sequence[float], Goal], float]] = {
    "min": lambda values, _: min(values),
    "max": lambda values, _: max(values),
    "mean": lambda values, _: statistics.fmean(values),
    "first": lambda values, _: values[0],
    "last": lambda values, _: values[-1],
    "best": lambda values, goal: best_value(goal, values),
}
"""What `run.define_metric(KEY, summary=...)` knows."""

_KINDS = {"string": "text", "boolean": "true or false", "nil": "None", "array": "a list"}
"""What the statistics of a history call what it holds, in words; any other word but `number` is a kind of media."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a metric of one run is found.

    Attributes:
        key: The key of the history, dotted where it is nested.
        aggregate: What is taken of its values; empty if the metric is the key itself.
    """

    key: str
    aggregate: str = ""

    def value(self, values: Sequence[float], goal: Goal) -> float:
        """Give what the metric is after some values, of which there is one at least."""
        return _AGGREGATES[self.aggregate or "last"](values, goal)


def may_aggregate(name: str) -> bool:
    """Whether a metric may be an aggregate, by its name."""
    key, _, word = name.rpartition(".")
    return bool(key) and word in _AGGREGATES


def reading(name: str, keys: Container[str]) -> Reading:
    """Say where a metric is found in a run whose history has some keys, nested ones dotted."""
    key, _, word = name.rpartition(".")
    if may_aggregate(name) and name not in keys and key in keys:
        return Reading(key, word)
    return Reading(name)


def in_summary(summary: Mapping[str, Any], name: str, goal: Goal) -> object:
    """Find a metric in a run's summary; None if it is not there.

    A metric defined with `run.define_metric(name, summary="max")` stands there as `{"max": value}` (wandb 0.31).
    """
    found = lookup(summary, name)
    best = "min" if goal == "minimize" else "max"
    if isinstance(found, Mapping):
        words = [word for word in ("best", best, "last", "mean", "first", "min", "max") if word in found]
        return found[words[0]] if words else None
    key, _, word = name.rpartition(".")
    if found is None and word in {"last", "best"}:  # a summary holds the last value anyway
        return lookup(summary, key if word == "last" else f"{key}.{best}")
    return found


def final_values(summary: Mapping[str, Any], goals: Mapping[str, Goal]) -> tuple[float, ...]:
    """Read a finished run's value of each metric out of its summary; nothing if one of them is no finite number."""
    numbers = finite(in_summary(summary, name, goal) for name, goal in goals.items())
    return numbers if len(numbers) == len(goals) else ()


def logged_kinds(history_keys: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, str]:
    """List what a run logged, numbers first, each key with its kind; what the SDK logs by itself is left out.

    Args:
        history_keys: The statistics of its history, as `historyKeys` answers them.
        summary: Its summary, for what is in no row.
    """
    kinds = {name: _kind(entry) for name, entry in history_keys.get("keys", {}).items() if name[:1] != "_"}
    # `{"loss": {"min": 0.1}}` is a word about a key of the history, and no other key
    more = {name: _kind_of(value) for name, value in flat(summary) if reading(name, kinds).key not in kinds}
    return dict(sorted((kinds | more).items(), key=lambda pair: pair[1] != "number"))


def _kind(entry: Mapping[str, Any]) -> str:
    kinds = [str(count.get("type")) for count in entry.get("typeCounts", ())]
    return "number" if "number" in kinds or not kinds else _KINDS.get(kinds[0], f"a {kinds[0]}")


def _kind_of(value: object) -> str:
    if float_or_nan(value) is not None:
        return "number"
    name = {str: "string", bool: "boolean", list: "array"}.get(type(value), "nil")
    return _KINDS[name]


def finite(values: Iterable[object]) -> tuple[float, ...]:
    """Keep what counts as an iteration of a metric: finite numbers, no booleans.

    W&B's engine (`sweeps` 0.3.0) skips NaN, infinities, booleans and text in the same way.
    """
    numbers = (float_or_nan(value) for value in values)
    return tuple(number for number in numbers if number is not None and math.isfinite(number))


def counted(values: Iterable[object]) -> tuple[tuple[float, ...], int]:
    """Give the finite numbers among some values, and how many more are NaN or infinite."""
    numbers = [number for value in values if (number := float_or_nan(value)) is not None]
    history = tuple(filter(math.isfinite, numbers))
    return history, len(numbers) - len(history)


def float_or_nan(value: object) -> float | None:
    """Read a logged value as a number; None for what is none, such as a boolean or text.

    NaN and infinities are numbers here, also as the words that the SDK writes for them in places.
    """
    if isinstance(value, str):
        return float(value) if value in {"NaN", "Infinity", "-Infinity"} else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf if value > 0 else -math.inf


def lookup(row: Mapping[str, Any], key: str) -> Any:
    """Find a dotted key in nested mappings whose own keys may hold dots; None when absent."""
    if key in row:
        return row[key]
    parts = key.split(".")
    for end in range(1, len(parts)):
        inner = row.get(".".join(parts[:end]))
        if isinstance(inner, Mapping):
            found = lookup(inner, ".".join(parts[end:]))
            if found is not None:
                return found
    return None


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name nested values with dots; leave out what W&B keeps for itself, and pictures, tables and histograms."""
    for name, value in values.items():
        if not prefix and name.startswith("_"):
            continue
        if isinstance(value, Mapping):
            if "_type" not in value:
                yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _number(value)


def _number(value: object) -> object:
    """Read the words that W&B has for NaN and infinities."""
    number = float_or_nan(value) if isinstance(value, str) else None
    return value if number is None else number
