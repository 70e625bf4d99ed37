"""Lists of anything but runs, filtered and ordered as clients ask: `{"name": {"$regex": "net"}}`, `-created_at`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sweeper.server.budget import Budget
from sweeper.server.errors import RequestError
from sweeper.server.store.filter_conditions import MISSING, Work, matches
from sweeper.server.store.run_filters import read_filter, sort_key

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """What filters and orders may ask about the rows of a list.

    Attributes:
        what: What users call the rows.
        fields: Their fields by all the names that clients have for them; one gives None where a row has no such thing.
    """

    what: str
    fields: Mapping[str, Callable[[Row], Any]]

    def chosen(self, rows: Sequence[Row], filters: str | None, order: str | None, budget: Budget) -> list[Row]:
        """Give the rows that a filter holds for, in an order; as they come without one, those without its key last.

        Raises:
            RequestError: The filter or the order cannot be read.
            SpentError: It takes too much work.
        """
        condition, work = read_filter(filters), Work(budget)
        found = [row for row in rows if matches(condition, _FieldsOf(self, row), work)] if condition else [*rows]
        return self._ordered(found, order) if order else found

    def field(self, name: str) -> Callable[[Row], Any]:
        """Find a field.

        Raises:
            RequestError: The rows have none of that name.
        """
        try:
            return self.fields[name]
        except KeyError:
            known = ", ".join(sorted(self.fields))
            raise RequestError(f"{self.what} have no {name[:100]!r}: use {known}") from None

    def _ordered(self, rows: list[Row], order: str) -> list[Row]:
        field = self.field(order[1:] if order[0] in "+-" else order)
        keyed = [(sort_key(field(row)), row) for row in rows]
        ranked = [(rank, row) for rank, row in keyed if rank is not None]
        ranked.sort(key=operator.itemgetter(0), reverse=order.startswith("-"))
        return [row for _, row in ranked] + [row for rank, row in keyed if rank is None]


@dataclass(frozen=True, slots=True)
class _FieldsOf(Generic[Row]):
    """A row that a filter is held against."""

    listing: Listing[Row]
    row: Row

    def get(self, key: str) -> Any:
        value = self.listing.field(key)(self.row)
        return MISSING if value is None else value


def named(*names: str, attribute: str = "") -> dict[str, Callable[[Any], Any]]:
    """Give a row's attribute under some names; it is called as the first of them unless another name is given."""
    return dict.fromkeys(names, operator.attrgetter(attribute or names[0]))
