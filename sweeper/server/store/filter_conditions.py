"""The language of filters, Mongo's as W&B has it: `{"$and": [{"config.lr": {"$gt": 0.1}}, {"state": "finished"}]}`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, Protocol

import re2

from sweeper.server.budget import Budget
from sweeper.server.errors import RequestError

MISSING = object()
"""Stands for a value that is not there: no operator but `$exists` and a comparison with null takes it for one."""
MAX_TEXT = 2**20
"""Characters of a text in which a pattern is looked for."""
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
COLUMNS = {
    "name": "name",
    "state": "state",
    "display_name": "display_name",
    "displayName": "display_name",
    "group": "group_name",
    "jobType": "job_type",
    "job_type": "job_type",
    "description": "description",
    "notes": "notes",
    "host": "host",
    **TIMES,
}
"""What filters call the columns of a run that are compared as they are."""


class Fields(Protocol):
    """What a filter is held against."""

    def get(self, key: str) -> Any:
        """Look up a value; MISSING if there is none."""


class Work:
    """What comparing with one filter costs, paid out of a request's budget before it is done.

    Args:
        budget: The budget.
    """

    def __init__(self, budget: Budget) -> None:
        self._pay = budget.pay
        self._sizes: dict[int, int] = {}

    def condition(self) -> None:
        """Pay for looking at one condition."""
        self._pay(1)

    def compare(self, value: Any, wanted: Any) -> None:
        """Pay for comparing a value with an operand, or with each in a list of them: lists are walked through."""
        if isinstance(wanted, list | dict):
            # by its identity: the filter is the same for all runs, and lives as long as its work
            size = self._sizes.get(id(wanted))
            if size is None:
                size = self._sizes[id(wanted)] = _count(wanted)
        else:
            size = 1
        self._pay(size * max(1, len(value)) if isinstance(value, list) else size)

    def search(self, value: Any) -> None:
        """Pay for looking for a pattern, by the length of the texts."""
        texts = value if isinstance(value, list) else [value]
        self._pay(sum(1 + len(text[:MAX_TEXT]) // 16 for text in texts if isinstance(text, str)))


def _count(value: Any) -> int:
    """Count the values in a value, itself among them."""
    pending, count = [value], 0
    while pending:
        inner = pending.pop()
        count += 1
        if isinstance(inner, dict | list):
            pending += inner.values() if isinstance(inner, dict) else inner
    return count


def matches(condition: object, run: Fields, work: Work) -> bool:
    """Tell whether a filter holds for a run.

    Raises:
        RequestError: The filter has an unknown operator or key.
        SpentError: It takes too much work.
    """
    work.condition()
    if not isinstance(condition, Mapping):
        raise RequestError(f"a filter is a JSON object, not {condition!r}")
    return all(_holds(key, wanted, run, work) for key, wanted in condition.items())


def _holds(key: str, wanted: Any, run: Fields, work: Work) -> bool:
    if key in {"$and", "$or", "$nor"}:
        if not isinstance(wanted, list):
            raise RequestError(f"{key} takes a list of filters")
        found = [matches(part, run, work) for part in wanted]
        return all(found) if key == "$and" else any(found) is (key == "$or") if found else True
    if key == "$not":
        return not matches(wanted, run, work)
    if key.startswith("$"):
        raise RequestError(f"unknown operator {key!r}; a filter combines with $and, $or, $nor, $not")
    return _compare(key, run.get(key), wanted, work)


def _compare(key: str, value: Any, wanted: Any, work: Work) -> bool:
    """Compare one value with a constant or with `{"$gt": ...}`."""
    if not (isinstance(wanted, Mapping) and any(name.startswith("$") for name in wanted)):
        work.compare(value, wanted)
        return _equal(value, operand(key, wanted))
    for name, bound in wanted.items():
        if name == "$not":
            work.condition()
            if _compare(key, value, bound, work):
                return False
        elif name not in _OPERATORS:
            raise RequestError(f"unknown operator {name!r}; choose from {', '.join(_OPERATORS)}, $not")
        else:
            pay = work.search if name == "$regex" else partial(work.compare, wanted=bound)
            pay(value)
            if not _OPERATORS[name](value, operand(key, bound)):
                return False
    return True


def operand(key: str, wanted: Any) -> Any:
    """Read a constant; times come as text.

    Raises:
        RequestError: It is compared with a time, and is a text that is none.
    """
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
    return any(isinstance(text, str) and compiled.search(_encoded(text[:MAX_TEXT])) is not None for text in found)


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
