"""docs/json.md, read: what a verb prints with `--json` is compared with the tables there."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sweeper.run import RunState, SweepState

FILE = Path(__file__).parents[1] / "docs" / "json.md"
STATES = {state.value.lower() for state in (*RunState, *SweepState)}

_SECTION = re.compile(r"^## (?P<heading>.+)\n(?P<text>(?:(?!## ).*\n)*)", re.MULTILINE)
_VERB = re.compile(r"`sweeper ([a-z -]+) --json`")
_TABLE = re.compile(r"^\| key \| type \| what \|\n\|[-|]+\|\n(?P<rows>(?:\|.*\n)+)", re.MULTILINE)
_ROW = re.compile(r"^\| `(?P<key>[^`]+)` \| (?P<type>[^|]+) \| .+ \|$")
_STEP = re.compile(r"\[\]|[^.\[\]]+")


@dataclass
class Place:
    """What may stand at one place of a document; anything where nothing is said.

    Attributes:
        types: The names of its types.
        optional: Whether it may be left out.
        inside: What is in it: by key, `[]` for all of a list, `*` for all values of an object.
    """

    types: tuple[str, ...] = ()
    optional: bool = False
    inside: dict[str, Place] = field(default_factory=dict)


def assert_documented(verb: str, told: Any) -> None:
    """Compare what a verb told, as read from its stdout, with its section in docs/json.md.

    Every key told is documented, every documented one that is not optional is there, and what is there has its type. Of
    a section with several tables, one has to fit.

    Args:
        verb: Its words, such as `status` or `server status`; `error` for a document that tells an error.
        told: The document.
    """
    found = [list(_differences(form, told, "")) for form in documented()[verb]]
    assert [] in found, f"`sweeper {verb} --json` and {FILE.name}: {min(found, key=len)}"


@cache
def documented() -> dict[str, tuple[Place, ...]]:
    """Read the tables of every verb."""
    verbs: dict[str, tuple[Place, ...]] = {}
    for section in _SECTION.finditer(FILE.read_text(encoding="utf-8")):
        forms = tuple(_form(table["rows"]) for table in _TABLE.finditer(section["text"]))
        names = ["error"] if section["heading"] == "An error" else _VERB.findall(section["heading"])
        assert forms, f"no table under {section['heading']}"
        assert not set(names) & set(verbs), f"two sections: {section['heading']}"
        verbs |= dict.fromkeys(names, forms)
    return verbs


def _form(rows: str) -> Place:
    root = Place()
    for line in rows.splitlines():
        row = _ROW.match(line)
        assert row, f"{FILE.name}: no row `key`, type, what: {line}"
        place = root
        for step in _STEP.findall(row["key"]):
            place = place.inside.setdefault(step, Place())
        types, _, mark = row["type"].strip().partition(", ")
        assert mark in {"", "optional"}, line
        place.types, place.optional = tuple(types.split(" or ")), bool(mark)
        assert set(place.types) <= set(_TYPES), f"{FILE.name}: types are {', '.join(_TYPES)}: {line}"
    return root


def _differences(place: Place, value: Any, where: str) -> Iterator[str]:
    if same := next((name for name in place.types if name in _AS_IN_STATUS), ""):
        place = Place(place.types, place.optional, _AS_IN_STATUS[same](documented()["status"][0]).inside)
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{where}: {value} is no JSON"
    if place.types and not any(_TYPES[name](value) for name in place.types):
        yield f"{where}: {value!r} is not {' or '.join(place.types)}"
    elif isinstance(value, list):
        inside = place.inside.get("[]", Place())
        if place.inside and "[]" not in place.inside:
            yield f"{where or 'it'} is a list, not an object"
        for number, item in enumerate(value):
            yield from _differences(inside, item, f"{where}[{number}]")
    elif isinstance(value, dict):
        yield from _differences_within(place, value, where)
    elif value is not None and place.inside:
        yield f"{where or 'it'}: {value!r} has no keys"


def _differences_within(place: Place, value: dict[str, Any], where: str) -> Iterator[str]:
    if "[]" in place.inside:
        yield f"{where or 'it'} is an object, not a list"
        return
    known = {key for key in place.inside if key != "*"}
    for key in known - set(value):
        if not place.inside[key].optional:
            yield f"{where}.{key} is missing"
    for key, item in value.items():
        if place.inside and key not in known and "*" not in place.inside:
            yield f"{where}.{key} is not documented"
        yield from _differences(place.inside.get(key, place.inside.get("*", Place())), item, f"{where}.{key}")


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).utcoffset() == timedelta(0)
    except (TypeError, ValueError):
        return False


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
    "time": _is_time,
    "state": lambda value: isinstance(value, str) and value in STATES,
    "run": lambda value: isinstance(value, dict),
    "status": lambda value: isinstance(value, dict),
    "any": lambda value: True,  # noqa: ARG005 whatever it is
}
"""The words of the tables for what a value is; `time` and `state` are strings."""
_AS_IN_STATUS: dict[str, Callable[[Place], Place]] = {
    "run": lambda status: status.inside["runs"].inside["[]"],
    "status": lambda status: status,
}
"""Objects that stand in several documents, and are described once."""
