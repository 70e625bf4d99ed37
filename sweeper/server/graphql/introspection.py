"""What the SDK asks the schema about itself: which fields an input has, of which it sends those alone (up to 0.17).

Our inputs are opaque, so that a newer SDK's new field is passed over: what they read stands in their models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLInputField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    introspection_types,
)
from pydantic import AliasChoices

from sweeper.server.graphql import artifact_inputs, inputs
from sweeper.server.graphql.inputs import Input

READS: Mapping[str, type[Input]] = {
    "AddAliasesInput": artifact_inputs.ChangeAliases,
    "CreateArtifactFileSpecInput": artifact_inputs.FileSpec,
    "CreateArtifactInput": artifact_inputs.CreateArtifact,
    "DeleteFilesInput": inputs.DeleteFiles,
    "UseArtifactInput": artifact_inputs.UseArtifact,
}
"""The inputs that are asked about, by the type of the schema."""

_TYPE = introspection_types["__Type"]
assert isinstance(_TYPE, GraphQLObjectType)  # noqa: S101 - of every schema
_own_answer: Any = _TYPE.fields["inputFields"].resolve


def fields_of(model: type[Input]) -> list[str]:
    """Name the fields that an input reads, as they are written on the wire."""
    aliases = [field.validation_alias for field in model.model_fields.values()]
    return [str(alias.choices[0] if isinstance(alias, AliasChoices) else alias) for alias in aliases]


def answer_for_inputs(schema: GraphQLSchema) -> None:
    """Let a schema say of its opaque inputs which fields they have."""
    known = {
        name: [(field, GraphQLInputField(GraphQLString)) for field in fields_of(model)] for name, model in READS.items()
    }

    def input_fields(kind: GraphQLNamedType, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        found = known.get(getattr(kind, "name", ""))
        return _own_answer(kind, info, **arguments) if found is None else found

    schema.type_map["__Type"].fields["inputFields"].resolve = input_fields  # type: ignore[attr-defined]
