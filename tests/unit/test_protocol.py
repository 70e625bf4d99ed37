"""docs/protocol.md against the schema, the routes, the tests and the SDK itself."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import graphql
import pytest
import wandb
from starlette.routing import Route

from sweeper.server.graphql.executor import _schema
from sweeper.server.http.app import create_app

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
SDK = Path(wandb.__file__).parent
_OPERATION = re.compile(r"^\s*(?:#graphql\s+)?(?:query|mutation)\s+(\w+)\s*[({]")
_IN_CORE = re.compile(rb"\n(?:query|mutation) ([A-Z]\w+) [({].*?\n}\n(?:fragment .*?\n}\n)*", re.DOTALL)
_OF_A_TEMPLATE = re.compile(r"Unknown fragment|is never used|'_[A-Z_]+_'")
"""What is wrong with a document of which Python fills in a part, or adds the fragments."""


def rows(heading: str) -> list[list[str]]:
    """Read the cells of a section's table."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in table[1:]]


def words(text: str) -> list[str]:
    """Give what stands in backquotes."""
    return re.findall(r"`([^`]+)`", text)


def served() -> dict[str, str]:
    """Every operation of the table, and the field it asks for."""
    return {name: words(row[0])[0] for row in rows("GraphQL") for name in words(row[1])}


def refused() -> set[str]:
    """Every operation in the lists of what is not served."""
    lists = TEXT.split("\n## Not served\n")[1].split("\n## ")[0]
    return {word for word in words(lists) if word.isalnum()}


@cache
def sent_by_the_sdk() -> dict[str, list[str]]:
    """Every GraphQL document in the installed SDK, by the operation's name."""
    found: dict[str, list[str]] = {}
    for file in SDK.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "vendor" in file.parts or file.name.endswith("_pb2.py") or not re.search(r"query|mutation", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and (name := _OPERATION.match(node.value))
            ):
                found.setdefault(name[1], []).append(node.value)
    for document in _IN_CORE.finditer((SDK / "bin" / "wandb-core").read_bytes()):
        found.setdefault(document[1].decode(), []).append(document[0].decode())
    return found


@pytest.mark.parametrize("root", ["Query", "Mutation"])
def test_every_field_of_the_schema_has_its_row(root):
    """What the schema offers is described, and what is described is offered."""
    of_root = {name for name, kind in schema_fields().items() if kind == root}
    described = set(served().values())
    assert of_root - described == set()
    assert described - set(schema_fields()) == set()


def schema_fields() -> dict[str, str]:
    """Every field of Query and Mutation."""
    schema = _schema()
    roots = {"Query": schema.query_type, "Mutation": schema.mutation_type}
    return {name: root for root, kind in roots.items() if kind for name in kind.fields}


def test_every_route_has_its_row(tmp_path):
    """Method and path of every route of the server are in the table, once, and no others."""
    known = {
        (method, route.path)
        for route in create_app(tmp_path).routes
        if isinstance(route, Route)
        for method in (route.methods or ()) - {"HEAD"}
    }
    described = [(row[0], words(row[1])[0]) for row in rows("Endpoints")]
    assert known == set(described)
    assert [row for row, times in Counter(described).items() if times > 1] == []


def test_what_is_served_names_a_test_that_exists():
    """Every row says which test shows it, and every test named is there."""
    for heading in ("Endpoints", "GraphQL", "Behaviours"):
        assert [row for row in rows(heading) if not re.fullmatch(r"`test_\w+::test_\w+`", row[-1])] == []
    for file, test in re.findall(r"`(test_\w+)::(\w+)`", TEXT):
        places = (ROOT / "tests").rglob(f"{file}.py")
        found = [place for place in places if f"def {test}(" in place.read_text(encoding="utf-8")]
        assert found, f"{file}::{test}"


def test_every_operation_of_the_sdk_is_accounted_for():
    """Nothing that the installed SDK can send is missing here, and nothing is both served and not."""
    sent = set(sent_by_the_sdk())
    assert len(sent) > 100
    assert sent - served().keys() - refused() == set()
    assert refused() - sent == set()
    assert served().keys() & refused() == set()


@pytest.mark.parametrize("name", sorted(served()))
def test_the_schema_takes_what_the_sdk_sends(name):
    """Every document of a served operation that can be read without filling it in is valid, and asks for that field."""
    for document in map(parsed, sent_by_the_sdk().get(name, [])):
        if document is None:
            continue
        faults = [fault.message for fault in graphql.validate(_schema(), document)]
        assert [fault for fault in faults if not _OF_A_TEMPLATE.search(fault)] == []
        fields = [part.name.value for part in document.definitions[0].selection_set.selections]
        assert served_by(name) & set(fields)


def served_by(name: str) -> set[str]:
    """The fields that an operation's rows name: one has two where two parts of the SDK use its name."""
    return {words(row[0])[0] for row in rows("GraphQL") if name in words(row[1])}


def parsed(text: str) -> graphql.DocumentNode | None:
    """Parse a document; None for a template that Python fills in."""
    try:
        return graphql.parse(text)
    except graphql.GraphQLError:
        return None
