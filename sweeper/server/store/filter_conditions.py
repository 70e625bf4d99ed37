"""The language of filters, Mongo's as W&B has it: `{"$and": [{"config.lr": {"$gt": 0.1}}, {"state": "finished"}]}`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

import re2

from sweeper.server.errors import RequestError

MISSING = object()
"""Stands for a value that is not there: no operator but `$exists` and a comparison with null takes it for one."""
MAX_PATTERN = 200
"""Characters: what people write has fewer, and RE2's memory grows with them."""
TIMES = {
    "created_at": "created_at",
    "createdAt": "created_at",
    "heartbeat_at": "heartbeat_at",
    "heartbeatAt": "heartbeat_at",
    "updated_at": "heartbeat_at",
    "updatedAt": "heartbeat_at",
}
"""What filters call times, by our column; clients send them as text."""


class Fields(Protocol):
    """What a filter is held against."""

    def get(self, key: str) -> Any:
        """Look up a value; MISSING if there is none."""


def matches(condition: object, run: Fields) -> bool:
    """Tell whether a filter holds for a run.

    Raises:
        RequestError: The filter has an unknown operator or key.
    """
    if not isinstance(condition, Mapping):
        raise RequestError(f"a filter is a JSON object, not {condition!r}")
    return all(_holds(key, wanted, run) for key, wanted in condition.items())


def _holds(key: str, wanted: Any, run: Fields) -> bool:
    if key in {"$and", "$or", "$nor"}:
        if not isinstance(wanted, list):
            raise RequestError(f"{key} takes a list of filters")
        found = [matches(part, run) for part in wanted]
        return all(found) if key == "$and" else any(found) is (key == "$or") if found else True
    if key == "$not":
        return not matches(wanted, run)
    if key.startswith("$"):
        raise RequestError(f"unknown operator {key!r}; a filter combines with $and, $or, $nor, $not")
    return _compare(key, run.get(key), wanted)


def _compare(key: str, value: Any, wanted: Any) -> bool:
    """Compare one value with a constant or with `{"$gt": ...}`."""
    if not (isinstance(wanted, Mapping) and any(name.startswith("$") for name in wanted)):
        return _equal(value, _operand(key, wanted))
    for name, operand in wanted.items():
        if name == "$not":
            if _compare(key, value, operand):
                return False
        elif name not in _OPERATORS:
            raise RequestError(f"unknown operator {name!r}; choose from {', '.join(_OPERATORS)}, $not")
        elif not _OPERATORS[name](value, _operand(key, operand)):
            return False
    return True


def _operand(key: str, wanted: Any) -> Any:
    """Read a constant; times come as text."""
    if key not in TIMES or not isinstance(wanted, str):
        return wanted
    try:
        moment = datetime.fromisoformat(wanted)
    except ValueError as error:
        raise RequestError(f"{wanted!r} is not a time: write 2026-01-31T12:00:00Z") from error
    # a time without a zone is UTC, as W&B's own are
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _equal(value: Any, wanted: Any) -> bool:
    if value is MISSING:
        return wanted is None
    if isinstance(value, list) and not isinstance(wanted, list):  # {"tags": "x"}: Mongo looks into lists
        return wanted in value
    if isinstance(value, bool) is not isinstance(wanted, bool):  # to Python True is 1, to Mongo it is not
        return False
    return bool(value == wanted)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Make an order of numbers or of texts; anything else, or one of each, is not in order."""

    def check(value: Any, wanted: Any) -> bool:
        numbers = isinstance(value, int | float) and isinstance(wanted, int | float)
        texts = isinstance(value, str) and isinstance(wanted, str)
        return (numbers or texts) and compare(value, wanted)

    return check


def _in(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, list):
        raise RequestError("$in and $nin take a list")
    return any(_equal(value, item) for item in wanted)


def regex(value: Any, pattern: Any) -> bool:
    """Tell whether a pattern is found in a text, or in one of a list of texts.

    Raises:
        RequestError: It is no pattern, one that RE2 does not take, or too long.
    """
    compiled = _compiled(pattern) if isinstance(pattern, str) else None
    if compiled is None:
        raise RequestError("$regex takes a pattern")
    found = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and compiled.search(_encoded(text)) is not None for text in found)


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")  # half a surrogate pair matches as a question mark


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    """Compile a pattern for RE2, whose time is linear in the text: Python's own can take for ever.

    Raises:
        RequestError: It is none, or has what RE2 lacks: look-around and back references.
    """
    options = re2.Options()
    # max_mem: a repetition of repetitions in 200 characters would else compile to eight megabytes
    options.log_errors, options.max_mem = False, 2**20
    try:
        if len(pattern) <= MAX_PATTERN:
            return re2.compile(_encoded(pattern), options=options)
    except re2.error as error:
        fault = error.args[0].decode(errors="replace")
        raise RequestError(f"{pattern!r} is not a regular expression (RE2): {fault}") from error
    raise RequestError(f"$regex takes a pattern of at most {MAX_PATTERN} characters")


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equal,
    "$ne": lambda value, wanted: not _equal(value, wanted),
    "$gt": _ordered(operator.gt),
    "$gte": _ordered(operator.ge),
    "$lt": _ordered(operator.lt),
    "$lte": _ordered(operator.le),
    "$in": _in,
    "$nin": lambda value, wanted: not _in(value, wanted),
    "$regex": regex,
    "$exists": lambda value, wanted: (value is not MISSING) is bool(wanted),
}
