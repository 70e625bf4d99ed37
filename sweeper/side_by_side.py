"""Values of several runs side by side: which they are, and whether they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MISSING = object()
"""Stands for a value that a run does not have."""


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A value of each run.

    Attributes:
        name: What it is.
        values: Of each run in order; `MISSING` where it has none.
    """

    name: str
    values: tuple[Any, ...]

    @property
    def same(self) -> bool:
        """Whether all have the same."""
        first = self.values[0]
        return all(type(value) is type(first) and (value == first or value is first) for value in self.values[1:])

    def to_json(self) -> list[Any]:
        """Give the values as JSON has them."""
        return [None if value is MISSING else value for value in self.values]


def rows_of(given: Sequence[Mapping[str, Any]]) -> list[ComparedRow]:
    """Lay the values of runs side by side, under each name that any of them has."""
    names = dict.fromkeys(name for values in given for name in values)
    return [ComparedRow(name, tuple(values.get(name, MISSING) for values in given)) for name in names]
