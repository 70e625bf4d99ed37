"""What GraphQL's types over stored rows have in common: the row, and the request that asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sweeper.server.graphql.context import Context

Row = TypeVar("Row")


# no slots: what a node looks up for several of its fields it keeps in a cached_property
@dataclass(frozen=True)
class Node(Generic[Row]):
    """A row as a type of the schema: a field is an attribute here, in snake_case, or else one of the row.

    A field that leads to another type gives that type's row; the executor makes the node of it (types.py). So a run and
    its project know each other in the schema, and their modules do not.

    Attributes:
        context: The request.
        stored: The row.
    """

    context: Context
    stored: Row

    if not TYPE_CHECKING:  # the executor looks names up by text; mypy would take any misspelt one for a field

        def __getattr__(self, name: str) -> Any:
            return getattr(self.stored, name)
