"""What is not in the schema is refused in words, whatever the SDK asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import parse

from sweeper.server.graphql.not_served import EARLIER, NOT_SERVED, said_of

DOCS = Path(__file__).parents[4] / "docs" / "protocol.md"
NAMES, EARLIER_NAMES = (sorted(" ".join(part.values()).split()) for part in (NOT_SERVED, EARLIER))


@pytest.mark.parametrize(("heading", "names"), [("Not served", NAMES), ("Not served to older SDKs", EARLIER_NAMES)])
def test_the_page_lists_the_same_operations(heading, names):
    """docs/protocol.md names each operation that is refused, and no other."""
    section = DOCS.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    assert sorted(word for word in re.findall(r"`(\w+)`", section)) == names


@pytest.mark.parametrize("name", [*NAMES, *EARLIER_NAMES])
def test_each_is_refused_with_the_reason(client, name):
    """The user reads what this server lacks and what to use, whether the schema would take the question or not."""
    for asked in ("nothing", "viewer { id }"):
        answer = client.http.post("/graphql", json={"query": f"query {name} {{ {asked} }}"})
        # of a refused request the SDKs up to 0.25 show the status, of an answer the words
        assert answer.status_code == 200
        assert answer.json()["data"] is None
        assert answer.json()["errors"][0]["message"].startswith(f"{name}: this server ")


def test_what_the_sdk_does_not_send_is_a_wrong_field():
    """A document of somebody's own is told what is wrong with it."""
    assert said_of(parse("{ nothing }")) is None
    assert said_of(parse("query Mine { nothing }")) is None
