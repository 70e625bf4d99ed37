"""Filters as conditions in SQL: what they say of a run's own columns, its sweeps and its user.

What stands in a config or a summary, patterns and odd operands SQL cannot say as `filter_conditions` does; a filter is
split in two where its parts allow it. A test holds both ways against each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeper.server.store.filter_conditions import COLUMNS, TIMES, operand

_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_OF_A_SWEEP = (
    "((r.sweep_id IS NOT NULL AND r.sweep_id IN (SELECT id FROM sweeps WHERE name = ?)) OR r.id IN"
    " (SELECT run_id FROM prior_runs WHERE sweep_id = (SELECT id FROM sweeps WHERE name = ?)))"
)
_OF_A_USER = "(r.user_id IS NOT NULL AND r.user_id IN (SELECT id FROM users WHERE name = ?))"
_OF_NO_SWEEP = "(r.sweep_id IS NULL AND NOT EXISTS (SELECT 1 FROM prior_runs WHERE run_id = r.id))"
MAX_PARTS = 200
"""Parts of a list that are said one by one."""
MAX_TEXT = 4000
"""Characters of the SQL: SQLite takes a row of conditions for a nest of them, a thousand deep at most."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a run `r`, which is true or false and never NULL.

    Attributes:
        text: The SQL; of ours alone, what clients send is in the values.
        values: What its question marks stand for.
    """

    text: str
    values: tuple[Any, ...] = ()


TRUE = Condition("1")
FALSE = Condition("0")


class UnsaidError(Exception):
    """SQL does not say it as `filter_conditions` does."""


def split(wanted: Mapping[str, Any]) -> tuple[Condition, dict[str, Any]]:
    """Split a filter: the condition that SQL can say, and the filter that is left for the runs for which that holds.

    Raises:
        RequestError: A time is none.
    """
    said: list[Condition] = []
    left: dict[str, Any] = {}
    for key, value in wanted.items():
        if key == "$and" and isinstance(value, list) and len(value) <= MAX_PARTS:
            parts, rest = zip(*map(_split_part, value), strict=True) if value else ((), ())
            said += parts
            if any(rest):
                left[key] = [part for part in rest if part]
        else:
            try:
                said.append(_field(key, value))
            except UnsaidError:
                left[key] = value
    try:
        return _joined("AND", said), left
    except UnsaidError:
        return TRUE, dict(wanted)


def _split_part(part: Any) -> tuple[Condition, Any]:
    return split(part) if isinstance(part, Mapping) else (TRUE, part or [part])  # what is no filter is refused later


def _joined(word: str, parts: list[Condition]) -> Condition:
    if not parts:
        return TRUE if word == "AND" else FALSE
    texts = [part.text for part in parts if part is not TRUE] if word == "AND" else [part.text for part in parts]
    text = f" {word} ".join(texts)
    if len(text) > MAX_TEXT:
        raise UnsaidError
    values = tuple(value for part in parts for value in part.values)
    return Condition(f"({text})", values) if texts else TRUE


def _not(part: Condition) -> Condition:
    return Condition(f"NOT {part.text}", part.values)


def _whole(wanted: Any) -> Condition:
    """Say a filter that cannot be split."""
    if not isinstance(wanted, Mapping):
        raise UnsaidError
    return _joined("AND", [_field(key, value) for key, value in wanted.items()])


def _field(key: str, wanted: Any) -> Condition:
    if key in {"$and", "$or", "$nor"}:
        if not isinstance(wanted, list) or len(wanted) > MAX_PARTS:
            raise UnsaidError
        parts = [_whole(part) for part in wanted]
        if not parts:
            return TRUE  # as `filter_conditions` has it
        found = _joined("AND" if key == "$and" else "OR", parts)
        return _not(found) if key == "$nor" else found
    if key == "$not":
        return _not(_whole(wanted))
    if isinstance(wanted, Mapping) and any(name.startswith("$") for name in wanted):
        return _joined("AND", [_operator(key, name, value) for name, value in wanted.items()])
    return _equal(key, wanted)


def _operator(key: str, name: str, wanted: Any) -> Condition:
    if name == "$not":
        if not isinstance(wanted, Mapping) or not any(inner.startswith("$") for inner in wanted):
            return _not(_equal(key, wanted))
        return _not(_joined("AND", [_operator(key, inner, value) for inner, value in wanted.items()]))
    if name in {"$eq", "$ne"}:
        found = _equal(key, wanted)
        return _not(found) if name == "$ne" else found
    if name in {"$in", "$nin"}:
        found = _among(key, wanted)
        return _not(found) if name == "$nin" else found
    if name == "$exists":
        return _not(_missing(key)) if wanted else _missing(key)
    if name in _COMPARISONS:
        return _ordered(key, _COMPARISONS[name], wanted)
    raise UnsaidError


def _missing(key: str) -> Condition:
    if key == "sweep":
        return Condition(_OF_NO_SWEEP)
    if key in {"username", "user.username"}:
        return Condition("r.user_id IS NULL")
    return Condition(f"r.{_column(key)} IS NULL")


def _column(key: str) -> str:
    if key not in COLUMNS:
        raise UnsaidError
    return COLUMNS[key]


def _equal(key: str, wanted: Any) -> Condition:
    if wanted is None:  # a run that other sweeps see has a list of sweeps, and its own, which is none, is in it
        return Condition("r.sweep_id IS NULL") if key == "sweep" else _missing(key)
    if key == "sweep":
        return Condition(_OF_A_SWEEP, (_text(wanted), wanted))
    if key in {"username", "user.username"}:
        return Condition(_OF_A_USER, (_text(wanted),))
    return Condition(f"r.{_column(key)} IS ?", (_comparable(key, wanted),))


def _among(key: str, wanted: Any) -> Condition:
    if not isinstance(wanted, list):
        raise UnsaidError
    if key in COLUMNS and key not in TIMES:
        names = [name for name in wanted if name is not None]
        listed = json.dumps([_text(name) for name in names])
        listed_in = "IN (SELECT value FROM json_each(?))"
        found = Condition(f"(r.{_column(key)} IS NOT NULL AND r.{_column(key)} {listed_in})", (listed,))
        return found if None not in wanted else _joined("OR", [found, _missing(key)])
    if len(wanted) > MAX_PARTS:
        raise UnsaidError
    return _joined("OR", [_equal(key, value) for value in wanted])


def _ordered(key: str, sign: str, wanted: Any) -> Condition:
    column, bound = _column(key), _comparable(key, wanted)
    return Condition(f"(r.{column} IS NOT NULL AND r.{column} {sign} ?)", (bound,))


def _comparable(key: str, wanted: Any) -> str | float:
    """Give an operand of the kind that the column has; a comparison with another kind is left to Python."""
    if key not in TIMES:
        return _text(wanted)
    moment = operand(key, wanted)
    if isinstance(moment, bool) or not isinstance(moment, int | float) or abs(moment) > 2**53:
        raise UnsaidError
    return moment


def _text(wanted: Any) -> str:
    """Give a text that means the same to SQLite: it knows no half of a surrogate pair, and may end at a NUL."""
    if not isinstance(wanted, str) or "\0" in wanted:
        raise UnsaidError
    if not wanted.isascii() and any("\ud800" <= sign <= "\udfff" for sign in wanted):
        raise UnsaidError
    return wanted
