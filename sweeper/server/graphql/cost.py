"""What a GraphQL document may ask for: how deep, how many fields; what its answer may cost stands in `budget.py`."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    ValueNode,
)

from sweeper.server.errors import RequestError

MAX_DEPTH = 15
"""Nested fields with fragments written out; the SDK's deepest document (0.31.0) has 9."""
MAX_FIELDS = 1000
"""Fields with fragments written out, aliases and all; the SDK's widest document has some hundred."""
MAX_NESTED_VALUES = 20
"""Lists and objects in each other, written out in a document; the SDK sends such as variables."""


def check(document: DocumentNode) -> None:
    """Look at a document before it is validated: that alone takes the square of its fields.

    Raises:
        RequestError: It asks for too much.
    """
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    sizes: dict[str, tuple[int, int]] = {}

    def of_fragment(name: str, within: frozenset[str]) -> tuple[int, int]:
        if name in within:
            raise RequestError(f"the fragment {name[:100]!r} contains itself")
        # measured once, however often it is spread: thirty that double each other would be a thousand million visits
        if name not in sizes:
            inner = fragments.get(name)  # one that is not there is found by the validation
            sizes[name] = of(inner.selection_set, within | {name}) if inner else (0, 0)
        return sizes[name]

    def of(selections: SelectionSetNode | None, within: frozenset[str]) -> tuple[int, int]:
        """Give depth and number of the fields."""
        depth = number = 0
        for part in selections.selections if selections else ():
            if isinstance(part, FragmentSpreadNode):
                inner, count = of_fragment(part.name.value, within)
            else:
                inner, count = of(getattr(part, "selection_set", None), within)
            own = isinstance(part, FieldNode)
            depth, number = max(depth, inner + own), number + count + own
        return depth, number

    found = [of(getattr(part, "selection_set", None), frozenset()) for part in document.definitions]
    if max((depth for depth, _ in found), default=0) > MAX_DEPTH:
        raise RequestError(f"the query nests more than {MAX_DEPTH} fields deep")
    if sum(number for _, number in found) > MAX_FIELDS:
        raise RequestError(f"the query asks for more than {MAX_FIELDS} fields")
    if any(_nests(value, MAX_NESTED_VALUES) for value in _values(document)):
        raise RequestError(f"a value nests more than {MAX_NESTED_VALUES} deep: send it as a variable")


def _values(document: DocumentNode) -> Iterator[ValueNode]:
    """Walk all values written out as arguments, fragments as they stand; defaults of variables as well."""
    pending: list[object] = list(document.definitions)
    while pending:
        part = pending.pop()
        for variable in getattr(part, "variable_definitions", None) or ():
            if variable.default_value:
                yield variable.default_value
        for argument in getattr(part, "arguments", None) or ():
            yield argument.value
        if selections := getattr(part, "selection_set", None):
            pending.extend(selections.selections)


def _nests(value: ValueNode, limit: int) -> bool:
    level = [value]
    for _ in range(limit):  # level by level: a recursion would end where the document wants it to
        inner: list[ValueNode] = []
        for outer in level:
            if isinstance(outer, ListValueNode):
                inner.extend(outer.values)
            elif isinstance(outer, ObjectValueNode):
                inner.extend(entry.value for entry in outer.fields)
        if not inner:
            return False
        level = inner
    return True
