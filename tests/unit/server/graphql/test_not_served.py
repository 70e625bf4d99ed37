"""What is not in the schema is refused in words, whatever the SDK asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import parse

from sweeper.server.graphql.not_served import NOT_SERVED, said_of

DOCS = Path(__file__).parents[4] / "docs" / "protocol.md"
NAMES = sorted(name for names in NOT_SERVED.values() for name in names.split())


def test_the_page_lists_the_same_operations():
    """docs/protocol.md names each operation that is refused, and no other."""
    section = DOCS.read_text(encoding="utf-8").split("\n## Not served\n")[1].split("\n## ")[0]
    assert sorted(word for word in re.findall(r"`(\w+)`", section)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_is_refused_with_the_reason(client, name):
    """The user reads what this server lacks and what to use, not the name of a field."""
    said = client.graphql(f"query {name} {{ nothing }}", status=400)
    assert said.startswith(f"{name}: this server ")


def test_what_the_sdk_does_not_send_is_a_wrong_field():
    """A document of somebody's own is told what is wrong with it."""
    assert said_of(parse("{ nothing }")) is None
    assert said_of(parse("query Mine { nothing }")) is None
