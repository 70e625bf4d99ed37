"""Every GraphQL document that any of the releases can send, against our schema: also those that no scenario reaches."""

from __future__ import annotations

import ast
import importlib.metadata
from pathlib import Path

import graphql
import pytest

from sweeper.server.graphql import not_served
from sweeper.server.graphql.executor import _schema
from tests.sdks.documents import documents, texts
from tests.sdks.releases import OURS, environment, wanted


def package(release: str) -> Path:
    """Give the folder of a release's package."""
    if release == OURS:
        return Path(str(importlib.metadata.distribution("wandb").locate_file("wandb")))
    return next(environment(release).glob("lib/python*/site-packages/wandb"))


@pytest.mark.sdks
@pytest.mark.timeout(240)
@pytest.mark.parametrize("release", wanted())
def test_the_schema_takes_what_a_release_sends(release: str) -> None:
    """Each document can be read and is valid, or its user is told in words that it is not served."""
    found = documents(package(release))
    assert len({one.name for one in found}) > 100
    faults: list[str] = []
    for one in found:
        document = graphql.parse(one.text)
        if not not_served.said_of(document):
            errors = graphql.validate(_schema(), document)
            faults += [f"{one.name} ({one.place}): {error.message}" for error in errors]
    assert faults == []


def test_a_document_is_put_together_as_the_sdk_does() -> None:
    """By `%`, `.format`, `+`, `.replace` and f-strings, with what a server that knows all is asked."""
    source = """
PART = "fragment Part on Run { id }"
def edge(new):
    return "runs" if new else "buckets"
def ask(new, sort):
    kinds = ""
    if new:
        kinds += "$kind: String,"
    whole = gql("query Whole { run { ...Part } } %s" % PART)
    other = gql("query Other { run { ...Part } }" + PART)
    more = "query More($a: Int, {}) {{ {}(first: $a) {{ id }} }}".format(kinds, edge(new))
    named = f"query Named {{ {sort} run {{ id }} }}"
    listed = ["$x: Int"]
    listed.append("$y: Int")
    joined = f"query Joined({', '.join(listed)}) {{ run {{ ...{sort} }} }}"
    filled = "mutation Filled { run _MORE_ }".replace("_MORE_", "{ id }" if new else "")
"""
    found = {" ".join(text.split()) for _, text in texts(ast.parse(source))}
    assert found == {
        "fragment Part on Run { id }",
        "query Whole { run { ...Part } } fragment Part on Run { id }",
        "query Other { run { ...Part } }fragment Part on Run { id }",
        "query More($a: Int, $kind: String,) { runs(first: $a) { id } }",
        "query Named { run { id } }",
        "query Joined($x: Int, $y: Int) { run { __typename } }",
        "mutation Filled { run { id } }",
    }
