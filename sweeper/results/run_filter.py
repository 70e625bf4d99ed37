"""Filters of runs as people type them: `val_accuracy>0.9 state=finished optimizer=adam lr<1e-3`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sweeper.errors import ResultError, UsageError

OPERATORS = ("!=", ">=", "<=", "!~", "=", ">", "<", "~")
"""Longer ones first; `==` is `=`."""
_SHOWN = "= != < <= > >= ~ (contains) !~"
_NAME = re.compile(r"""(?P<quote>["'])(?P<quoted>.*?)(?P=quote)|(?P<plain>[^\s=<>!~"']+)""")
_OPERATOR = re.compile(r"\s*(==|!=|>=|<=|!~|=|>|<|~)\s*")
_VALUE = re.compile(r"""(?P<quote>["'])(?P<quoted>.*?)(?P=quote)(?=\s|$)|(?P<plain>[^\s"']\S*)""")
_JOIN = re.compile(r"(?:and|&&|,)\s+", re.IGNORECASE)
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class RunCondition:
    """One comparison of a filter.

    Attributes:
        name: What is compared.
        operator: One of `OPERATORS`.
        wanted: With what, as it was typed.
        quoted: Whether it stood in quotes: then `"1"` is a text, and no number.
        place: Where the name stands in the filter.
        text: The whole filter.
    """

    name: str
    operator: str
    wanted: str
    quoted: bool
    place: int
    text: str

    def holds(self, value: Any) -> bool:
        """Whether it holds for a value; None is a value that is not there."""
        if self.operator in {"~", "!~"}:
            found = value is not None and self.wanted.lower() in as_text(value).lower()
            return found is (self.operator == "~")
        if self.operator in {"=", "!="}:
            return self._equals(value) is (self.operator == "=")
        return self._is_ordered(value)

    def _equals(self, value: Any) -> bool:
        if not self.quoted and self.wanted.lower() in {"none", "null", "-"}:
            return value is None
        if value is None:
            return False
        if isinstance(value, bool):
            return self.wanted.lower() == str(value).lower()
        if isinstance(value, int | float):
            number = self._number(seconds=False)
            return number is not None and (value == number or (math.isnan(value) and math.isnan(number)))
        if isinstance(value, datetime):
            return as_text(value).startswith(self.wanted.replace("T", " "))
        return as_text(value) == self.wanted

    def _is_ordered(self, value: Any) -> bool:
        compare = _ORDERS[self.operator]
        if isinstance(value, datetime):
            moment = self._moment()
            return moment is not None and compare(value, moment)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        number = self._number(seconds=self.name.startswith("duration"))
        return number is not None and compare(value, number)

    def _number(self, *, seconds: bool) -> float | None:
        if self.quoted:
            return None
        try:
            return float(self.wanted)
        except ValueError:
            return _seconds(self.wanted) if seconds else None

    def _moment(self) -> datetime | None:
        try:
            moment = datetime.fromisoformat(self.wanted)
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def check(self, *, is_time: bool) -> None:
        """Refuse an order of what has none.

        Args:
            is_time: Whether a moment is compared.

        Raises:
            ResultError: It compares with a text.
        """
        if self.operator not in _ORDERS:
            return
        place = self.text.index(self.wanted, self.place + len(self.name))
        if is_time and self._moment() is None:
            what = _shown(self.text, place, f"{self.wanted!r} is no time")
            raise ResultError(what, "write 2026-01-31 or 2026-01-31T12:00")
        if not is_time and self._number(seconds=self.name.startswith("duration")) is None:
            fix = f"{self.operator} compares numbers; for text there are = != ~ !~"
            raise ResultError(_shown(self.text, place, f"{self.wanted!r} is no number"), fix)

    def fault(self, what: str, fix: str) -> ResultError:
        """Say what is wrong with its name, with the place."""
        return ResultError(_shown(self.text, self.place, what), fix)


def as_text(value: Any) -> str:
    """Write a value as a filter and a table have it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _seconds(text: str) -> float | None:
    """Read `90s`, `10m`, `1h30m`."""
    found = _DURATION.fullmatch(text)
    if not text or not found:
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def parse(text: str) -> list[RunCondition]:
    """Read a filter: conditions that must all hold.

    Raises:
        UsageError: It does not parse; the message has the place.
    """
    found: list[RunCondition] = []
    place = _skip(text, 0)
    while place < len(text):
        if found and (joined := _JOIN.match(text, place)):
            place = joined.end()
        condition, place = _condition(text, place)
        found.append(condition)
        place = _skip(text, place)
    if not found:
        raise _fault(text, 0, "it is empty", "write NAME>VALUE, such as 'val_accuracy>0.9 state=finished'")
    return found


def _skip(text: str, place: int) -> int:
    while place < len(text) and (text[place].isspace() or text[place] == ","):
        place += 1
    return place


def _condition(text: str, place: int) -> tuple[RunCondition, int]:
    name = _NAME.match(text, place)
    if name is None:
        open_quote = text[place] in "\"'"
        what = "the quote is not closed" if open_quote else "a name is missing"
        raise _fault(text, place, what, "write NAME>VALUE, such as 'val_accuracy>0.9 state=finished'")
    compared = _OPERATOR.match(text, name.end())
    if compared is None:
        raise _no_operator(text, name)
    value = _VALUE.match(text, compared.end())
    if value is None or _wrong_start(value, compared[1]):
        raise _no_value(text, compared)
    wanted = value["quoted"] if value["quote"] else value["plain"]
    word = "=" if compared[1] == "==" else compared[1]
    called = name["quoted"] if name["quote"] else name["plain"]
    return RunCondition(called, word, wanted.rstrip(",") or wanted, bool(value["quote"]), place, text), value.end()


def _wrong_start(value: re.Match[str], compared: str) -> bool:
    """Whether a value begins with what is no value: `=>0.9`, `=~x`."""
    return bool(value["plain"]) and value["plain"][0] in "=<>~" and compared[-1] in "=<>!~"


def _no_operator(text: str, name: re.Match[str]) -> UsageError:
    word = name["quoted"] or name["plain"] or ""
    if word.lower() in {"or", "||", "|"}:
        fix = "all conditions must hold; for either of two, ask twice"
        return _fault(text, name.start(), f"`{word}` is not there", fix)
    fix = f"operators: {_SHOWN}; quote the whole filter, or the shell takes > and < for itself"
    return _fault(text, name.end(), f"no operator behind `{word}`", fix)


def _no_value(text: str, compared: re.Match[str]) -> UsageError:
    place = compared.end()
    if place >= len(text):
        return _fault(text, place, f"no value behind `{compared[1]}`", "write a number, a word, or a text in quotes")
    if text[place] in "\"'":
        return _fault(text, place, "the quote is not closed", "close it")
    return _fault(text, compared.start(1), f"`{compared[1]}{text[place]}` is no operator", f"operators: {_SHOWN}")


def _fault(text: str, place: int, what: str, fix: str) -> UsageError:
    """Say what is wrong with a filter, whatever the sweep."""
    return UsageError(_shown(text, place, what), fix)


def _shown(text: str, place: int, what: str) -> str:
    """Write what is wrong with a filter, with a caret below the place."""
    shown = text.replace("\n", " ").replace("\t", " ")
    return f"--filter cannot be read: {what}\n    {shown}\n    {' ' * place}^"
