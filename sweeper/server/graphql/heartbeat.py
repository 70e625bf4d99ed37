"""A heartbeat as agents write it, told from all other documents, and answered without graphql-core.

Three requests of four are one, and all say the same words: to walk them again took as long as what they ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

FIELD = "agentHeartbeat"
"""Its word stands in every request that sends one."""
Shape = Mapping[str, tuple[str, "Shape | None"]]
"""What is asked for, by the key in the answer: the field's name, and what is asked of it."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A document that asks for one heartbeat and nothing else.

    Attributes:
        operation: What the operation is called; empty if it has no name.
        key: What it is called in the answer.
        given: The fields of the input, each with the variable that holds it.
        shape: What is asked of the payload.
    """

    operation: str
    key: str
    given: Mapping[str, str]
    shape: Shape

    def fields(self, variables: Mapping[str, Any]) -> dict[str, str] | None:
        """Give the input; None if it is not plain text, of which graphql-core says what is wrong."""
        found = {name: variables.get(variable) for name, variable in self.given.items()}
        texts = {name: value for name, value in found.items() if isinstance(value, str)}
        return texts if len(texts) == len(found) else None

    def shaped(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Write a payload as it was asked for."""
        return {self.key: _shaped(payload, self.shape)}


def find(document: DocumentNode) -> Heartbeat | None:
    """Read a valid document; None if it is another one, or written in another way."""
    operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    if len(document.definitions) != 1 or len(operations) != 1 or operations[0].directives:
        return None
    fields = operations[0].selection_set.selections
    (field,) = fields if len(fields) == 1 else (None,)
    if not isinstance(field, FieldNode) or field.name.value != FIELD or field.directives:
        return None
    arguments = field.arguments or ()
    given = _given(arguments[0].value) if len(arguments) == 1 else None
    shape = _shape_of(field.selection_set)
    has_defaults = any(definition.default_value for definition in operations[0].variable_definitions or ())
    if not given or not shape or has_defaults or not _is_known(shape):
        return None
    name = operations[0].name
    return Heartbeat(name.value if name else "", _key(field), given, shape)


def _is_known(shape: Shape) -> bool:
    """Whether all that is asked for is in the payload as it is; the rest of an agent has to be looked up."""
    asked = {name: {inner for inner, _ in (more or {}).values()} for name, more in shape.values()}
    return asked.keys() <= {"agent", "commands"} and asked.get("agent", {"id"}) == {"id"}


def _given(value: ValueNode) -> dict[str, str] | None:
    if not isinstance(value, ObjectValueNode):
        return None
    pairs = [(entry.name.value, entry.value) for entry in value.fields]
    found = {name: inner.name.value for name, inner in pairs if isinstance(inner, VariableNode)}
    return found if len(found) == len(pairs) else None


def _shape_of(selections: SelectionSetNode | None) -> dict[str, Any] | None:
    """Read what is asked of a value; None where there are fragments, directives, arguments or a key twice."""
    parts = selections.selections if selections else ()
    fields = [
        part
        for part in parts
        if isinstance(part, FieldNode)
        and not (part.directives or part.arguments)
        and not part.name.value.startswith("__")
    ]
    inner = {_key(part): (part.name.value, _shape_of(part.selection_set)) for part in fields}
    broken = any(part.selection_set and inner[_key(part)][1] is None for part in fields)
    return inner if inner and len(inner) == len(parts) and not broken else None


def _key(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value


def _shaped(value: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    return {
        key: value[name] if inner is None or value[name] is None else _shaped(value[name], inner)
        for key, (name, inner) in shape.items()
    }
