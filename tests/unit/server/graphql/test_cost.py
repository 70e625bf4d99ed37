"""What one GraphQL request may ask for, and what it may cost."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from graphql import parse

from sweeper.server.budget import Budget
from sweeper.server.errors import RequestError
from sweeper.server.graphql import cost, executor


@dataclass(frozen=True)
class Asked:
    """A request that may cost something."""

    budget: Budget
    hurried: bool = False


class CountedRoot:
    """The root of a request, which counts how often it is asked who asks."""

    def __init__(self, values):
        self.context = Asked(Budget(values=values))
        self.asked = 0

    def viewer(self):
        """Describe a user."""
        self.asked += 1
        return {"id": "1"}


def test_nothing_is_looked_up_once_the_budget_is_spent():
    """An answer that grows too long is refused with what to do instead, and no further field is asked for."""
    body = json.dumps({"query": "{ " + " ".join(f"a{i}: viewer {{ id }}" for i in range(9)) + " }"}).encode()
    root = CountedRoot(values=6)
    status, content = executor.answer(body, root)
    assert (status, root.asked) == (400, 3)
    assert "`first`" in content["errors"][0]["message"]
    assert executor.answer(body, CountedRoot(values=18))[0] == 200


NESTED = "[" * (cost.MAX_NESTED_VALUES + 1) + "]" * (cost.MAX_NESTED_VALUES + 1)
FRAGMENTS = "{{ ...F0 }} {} fragment F{} on Query {{ viewer {{ id }} }}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ a " * (cost.MAX_DEPTH + 1) + "}" * (cost.MAX_DEPTH + 1), "deep"),
        ("{ " + " ".join(f"a{i}: viewer" for i in range(cost.MAX_FIELDS + 1)) + " }", "fields"),
        ("{ ...F } fragment F on Query { a ...F }", "contains itself"),
        ("{ a(b: " + "[" * (cost.MAX_NESTED_VALUES + 1) + "]" * (cost.MAX_NESTED_VALUES + 1) + ") }", "variable"),
        (
            "query($v: JSON = " + "[" * (cost.MAX_NESTED_VALUES + 1) + "]" * (cost.MAX_NESTED_VALUES + 1) + ") { a }",
            "v",
        ),
    ],
)
def test_a_document_that_asks_for_too_much_is_refused(text, said):
    """Fields within fields, fields beside each other, fragments in circles, lists in lists: each has a bound."""
    with pytest.raises(RequestError, match=said):
        cost.check(parse(text))


def test_fragments_count_as_often_as_they_are_used():
    """A document whose fragments double it ten times over is as wide as if they were written out."""
    doubling = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(10))
    text = FRAGMENTS.format(doubling, 10)
    with pytest.raises(RequestError, match="fields"):
        cost.check(parse(text))
    cost.check(parse("{ ...F0 } fragment F0 on Query { viewer { id } }"))


def test_query_that_nests_without_end_is_refused(client):
    """A query may nest only as deep as the SDK's do, also through fragments."""
    parts = [f"fragment F{i} on Project {{ sweep {{ project {{ ...F{i + 1} }} }} }}" for i in range(10)]
    text = f'{{ project(name: "p") {{ ...F0 }} }} {" ".join(parts)} fragment F10 on Project {{ name }}'
    assert "deep" in client.graphql(text, status=400)


def test_a_document_of_just_the_bounds_is_taken():
    """As deep, as wide and as nested as may be; all operations of a document count together."""
    cost.check(parse("{ a " * cost.MAX_DEPTH + "}" * cost.MAX_DEPTH))
    cost.check(parse("{ " + " ".join(f"a{i}: viewer" for i in range(cost.MAX_FIELDS)) + " }"))
    cost.check(parse("{ a(b: " + "[" * cost.MAX_NESTED_VALUES + "]" * cost.MAX_NESTED_VALUES + ") }"))
    half = " ".join(f"a{i}: viewer" for i in range(cost.MAX_FIELDS // 2 + 1))
    with pytest.raises(RequestError, match="fields"):
        cost.check(parse(f"query A {{ {half} }} query B {{ {half} }}"))
