"""The GraphQL executor: a real one, because the SDK sends some sixty documents with fragments and aliases.

Field names are looked up on the object as they are, in snake_case; a method is called with its arguments.
"""

from __future__ import annotations

import logging
import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    build_schema,
    execute_sync,
    parse,
    validate,
    value_from_ast_untyped,
)
from pydantic import BaseModel, ValidationError

from sweeper.server import strictjson
from sweeper.server.refusal import RequestError

log = logging.getLogger(__name__)

MAX_QUERY_LENGTH = 50_000
"""Characters; the SDK's longest document (0.31.0) has 5,000."""
MAX_DEPTH = 15
"""Nested fields with fragments written out; the SDK's deepest document has 9."""


class GraphQLRequest(BaseModel):
    """The body of a request."""

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 the wire's name


def answer(body: bytes, root: object) -> tuple[int, dict[str, Any]]:
    """Execute one request.

    Args:
        body: The request, JSON.
        root: The object whose methods are the queries and mutations.

    Returns:
        The HTTP status and the strict JSON content. A client's mistake is 400 or 404, never 5xx.
    """
    try:
        request = GraphQLRequest.model_validate(strictjson.parse_object(body, "the request body"))
        document = _document(request.query)
    except ValidationError as error:
        return 400, _errors([f"not a GraphQL request: {error}"])
    except RequestError as error:
        return error.status, _errors([error.message])
    result = execute_sync(
        _schema(),
        document,
        root_value=root,
        variable_values=request.variables,
        operation_name=request.operationName or None,  # wandb-core sends ""
        field_resolver=_resolve,
    )
    if not result.errors:
        return 200, {"data": strictjson.plain(result.data)}
    return _status(result.errors), _errors([error.message for error in result.errors])


def _errors(messages: list[str]) -> dict[str, Any]:
    return {"errors": [{"message": message} for message in dict.fromkeys(messages)], "data": None}


def _status(errors: list[GraphQLError]) -> int:
    """Take the status of the first refusal; bad variables and odd text are the client's mistake as well."""
    causes = [error.original_error for error in errors]
    for cause in causes:
        if isinstance(cause, RequestError):
            return cause.status
    bugs = [cause for cause in causes if cause is not None and not isinstance(cause, GraphQLError | UnicodeEncodeError)]
    for bug in bugs:
        log.error("a resolver failed", exc_info=bug)
    return 500 if bugs else 400


@lru_cache(maxsize=256)
def _document(text: str) -> DocumentNode:
    """Parse and validate a document; clients send the same few, so the last ones are kept.

    Raises:
        RequestError: It is too long, too deep, not GraphQL or not of our schema.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise RequestError(f"the query has {len(text)} characters, at most {MAX_QUERY_LENGTH} are read")
    try:
        document = parse(text)
        errors = validate(_schema(), document)
    except GraphQLError as error:
        raise RequestError(error.message) from error
    except RecursionError as error:
        raise RequestError("the query nests too deeply") from error
    if errors:
        raise RequestError("; ".join(error.message for error in errors[:5]))
    if _depth(document) > MAX_DEPTH:
        raise RequestError(f"the query nests more than {MAX_DEPTH} fields deep")
    return document


def _depth(document: DocumentNode) -> int:
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}

    @cache  # validation has excluded fragments that contain themselves
    def of_fragment(name: str) -> int:
        return of(fragments[name].selection_set)

    def of(selections: SelectionSetNode | None) -> int:
        deepest = 0
        for part in selections.selections if selections else ():
            if isinstance(part, FragmentSpreadNode):
                deepest = max(deepest, of_fragment(part.name.value))
            elif isinstance(part, FieldNode | InlineFragmentNode):
                deepest = max(deepest, isinstance(part, FieldNode) + of(part.selection_set))
        return deepest

    return max((of(getattr(part, "selection_set", None)) for part in document.definitions), default=0)


@cache
def _schema() -> GraphQLSchema:
    parts = [files("sweeper.server") / name for name in ("schema.graphql", "artifacts.graphql")]
    schema = build_schema("\n".join(part.read_text("utf-8") for part in parts))
    for scalar in schema.type_map.values():
        if isinstance(scalar, GraphQLScalarType) and (scalar.name == "JSON" or scalar.name.endswith("Input")):
            scalar.parse_literal = _literal  # type: ignore[method-assign]
    return schema


def _literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """Read an input object written out in the document; variables that were not sent are left out of it."""
    return _without_unset(value_from_ast_untyped(node, variables))


def _without_unset(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_unset(inner) for key, inner in value.items() if inner is not Undefined}
    return value


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])|(?<=[A-Z])([A-Z])(?=[a-z])", r"_\g<0>", name).lower()


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """Find a field: a method, an attribute, or a key."""
    name = _snake_case(info.field_name)
    value = source.get(name) if isinstance(source, dict) else getattr(source, name)
    if callable(value):
        return value(**{_ARGUMENTS.get(key) or _snake_case(key): argument for key, argument in arguments.items()})
    return value


_ARGUMENTS = {"input": "fields", "id": "global_name"}
"""Arguments that have another name in Python, where theirs is a builtin."""
