"""A stored row as a type of the schema."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sweeper.server.graphql.node import Node


@dataclass(frozen=True)
class Stored:
    """A row."""

    name: str
    state: str


class Thing(Node[Stored]):
    """A type with one field of its own."""

    @property
    def state(self) -> str:
        """The state, as the schema writes it."""
        return self.stored.state.upper()


def test_a_field_is_the_nodes_own_or_else_the_rows(context):
    """A type says only what differs from its table."""
    thing = Thing(context, Stored("x", "running"))
    assert (thing.name, thing.state) == ("x", "RUNNING")


def test_a_field_that_neither_has_is_missed(context):
    """It is no null, which a client would take for an answer."""
    with pytest.raises(AttributeError, match="colour"):
        getattr(Thing(context, Stored("x", "running")), "colour")  # noqa: B009 as the executor asks
