"""The GraphQL executor: a real one, because the SDK sends some sixty documents with fragments and aliases.

A field is looked up by its name in snake_case; a method is called with its arguments. What it gives is a stored row, of
which the node is made here, by the type that the schema has for the field.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    ValueNode,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
    value_from_ast_untyped,
)
from pydantic import BaseModel, ValidationError

from sweeper.server import strict_json
from sweeper.server.budget import SpentError
from sweeper.server.errors import RequestError, SaidError, bug_message, faults_of
from sweeper.server.graphql import cost, heartbeat, introspection, not_served
from sweeper.server.graphql.context import Context
from sweeper.server.graphql.root import Root
from sweeper.server.graphql.sweep_operations import SweepOperations
from sweeper.server.graphql.types import KINDS, NODES
from sweeper.server.rules.dispatcher import UnhurriedError

log = logging.getLogger(__name__)

MAX_QUERY_LENGTH = 50_000
"""Characters; the SDK's longest document (0.31.0) has 5,000."""
MAX_TOKENS = 8000
"""Words and signs; that document has a thousand."""
MAX_VARIABLES = 500_000
"""Values in the variables of a request; wandb-core (0.31.0) announces some thousand files of an artifact at a time."""


class GraphQLRequest(BaseModel):
    """The body of a request."""

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 the wire's name


def answer(body: bytes, root: Root) -> tuple[int, dict[str, Any]]:
    """Execute one request.

    Args:
        body: The request, JSON.
        root: The object whose methods are the queries and mutations, with what the request may cost.

    Returns:
        The HTTP status and the strict JSON content. A client's mistake is 400 or 404, never 5xx.

    Raises:
        UnhurriedError: Others wait meanwhile, and this is no heartbeat, or one that takes longer; nothing was done.
    """
    try:
        request = GraphQLRequest.model_validate(strict_json.parse_object(body, "the request body"))
        _check_variables(request.variables)
        document = _document(request.query)
    except ValidationError as error:
        return 400, _errors([f"not a GraphQL request: {faults_of(error)}"])
    except RequestError as error:
        return error.status, _errors([error.message])
    if root.context.hurried:
        return _heartbeat(request, root)
    try:
        result = execute_sync(
            _schema(),
            document,
            root_value=root,
            context_value=root.context,
            variable_values=request.variables,
            operation_name=request.operationName or None,  # wandb-core sends ""
        )
    except SpentError as spent:  # goes through graphql-core as no Exception would
        return 400, _errors([spent.message])
    if not result.errors:
        return 200, {"data": strict_json.plain(result.data)}
    return _failed(result.errors)


def _heartbeat(request: GraphQLRequest, root: Root) -> tuple[int, dict[str, Any]]:
    """Answer a heartbeat as agents write it.

    Raises:
        UnhurriedError: It is another request, or written in another way.
    """
    asked = _heartbeat_in(request.query)
    fields = asked.fields(request.variables or {}) if asked else None
    if asked is None or fields is None or (request.operationName or asked.operation) != asked.operation:
        raise UnhurriedError
    assert isinstance(root, SweepOperations)  # noqa: S101 - of which the heartbeat is one
    try:
        payload = root.agent_heartbeat(fields)
    except RequestError as error:
        return error.status, _errors([error.message])
    return 200, {"data": asked.shaped(payload)}


@lru_cache(maxsize=256)
def _heartbeat_in(text: str) -> heartbeat.Heartbeat | None:
    return heartbeat.find(_document(text))


def _errors(messages: list[str]) -> dict[str, Any]:
    return {"errors": [{"message": message} for message in dict.fromkeys(messages)], "data": None}


def _failed(errors: list[GraphQLError]) -> tuple[int, dict[str, Any]]:
    """Answer with the first refusal; bad variables and odd text are the client's mistake as well.

    What a bug says stays in the log: it may hold paths or SQL.
    """
    # graphql-core wraps whatever a resolver raises; what it finds wrong itself has no cause
    causes = [error.original_error for error in errors]
    refusals = [cause for cause in causes if isinstance(cause, RequestError)]
    bugs = [cause for cause in causes if not isinstance(cause, GraphQLError | UnicodeEncodeError | RequestError | None)]
    if bugs and not refusals:
        number = secrets.token_hex(4)
        for bug in bugs:
            log.error("request %s failed: a resolver", number, exc_info=bug)
        return 500, _errors([bug_message(number)])
    known = [error.message for error in errors if error.original_error not in bugs]
    return refusals[0].status if refusals else 400, _errors(known)


def _check_variables(variables: dict[str, Any] | None) -> None:
    """Count the values in a request's variables, without recursion: each is looked at several times.

    Raises:
        RequestError: There are too many.
    """
    pending: list[Any] = [variables or {}]
    count = 0
    while pending and count <= MAX_VARIABLES:
        inner = pending.pop()
        count += len(inner)
        pending += [
            value
            for value in (inner.values() if isinstance(inner, dict) else inner)
            if value and isinstance(value, dict | list)
        ]
    if count > MAX_VARIABLES:
        raise RequestError(f"the variables have more than {MAX_VARIABLES} values", 413)


@lru_cache(maxsize=256)
def _document(text: str) -> DocumentNode:
    """Parse and validate a document; clients send the same few, so the last ones are kept.

    Raises:
        RequestError: It is too long, too deep, not GraphQL or not of our schema.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise RequestError(f"the query has {len(text)} characters, at most {MAX_QUERY_LENGTH} are read")
    try:
        # without locations: they keep every token alive, and nobody reads them
        document = parse(text, max_tokens=MAX_TOKENS, no_location=True)
        cost.check(document)  # first: validation takes the square of what it is given
        if said := not_served.said_of(document):
            raise SaidError(said)
        errors = validate(_schema(), document, max_errors=5)
    except GraphQLError as error:
        raise RequestError(error.message) from error
    except RecursionError as error:
        raise RequestError("the query nests too deeply") from error
    if errors:
        raise RequestError("; ".join(error.message for error in errors[:5]))
    return document


@cache
def _schema() -> GraphQLSchema:
    """Build the schema once a process, each field with what answers it: no request searches for that again."""
    parts = [files("sweeper.server.graphql") / f"{name}.graphql" for name in ("schema", "artifacts", "beyond", "ours")]
    schema = build_schema("\n".join(part.read_text("utf-8") for part in parts))
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                field.resolve = _resolver(name, field)
        elif isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = KINDS[kind.name]
        elif isinstance(kind, GraphQLScalarType) and (kind.name == "JSON" or kind.name.endswith("Input")):
            kind.parse_literal = _literal  # type: ignore[method-assign]
        elif isinstance(kind, GraphQLScalarType) and kind.name in _READERS:
            # graphql-core 3.2 asks the one, 3.3 the other: it takes over only what a scalar is made with
            kind.parse_value = kind.coerce_input_value = _READERS[kind.name]  # type: ignore[assignment]
        elif isinstance(kind, GraphQLScalarType) and kind.name == "DateTime":
            kind.serialize = kind.coerce_output_value = _moment  # type: ignore[method-assign]
        if isinstance(kind, GraphQLScalarType) and kind.name in _READERS:
            kind.parse_literal = partial(_read_literal, _READERS[kind.name])  # type: ignore[method-assign]
    introspection.answer_for_inputs(schema)
    return schema


def _resolver(field_name: str, field: GraphQLField) -> Callable[..., Any]:
    """Make what finds a field: a method, an attribute or a key, and then the node of the row that it gives."""
    name = _snake_case(field_name)
    names = {argument: _ARGUMENTS.get(argument) or _snake_case(argument) for argument in field.args}
    named = get_named_type(field.type)
    kind, is_plain = named.name, isinstance(named, GraphQLScalarType)
    node = NODES.get(kind)

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        context: Context = info.context
        context.budget.spend()
        value = source.get(name) if isinstance(source, dict) else getattr(source, name)
        if callable(value):
            value = value(**{names[key]: argument for key, argument in arguments.items()})
        if kind == "Int" and value is not None:
            # a count beyond GraphQL's Int, of runs or of lines: one such field must not hide all the others
            return max(-_MAX_INT - 1, min(value, _MAX_INT))
        if is_plain:
            context.budget.weigh(value)
        return value if node is None else _wrapped(node, context, value)

    return resolve


def _wrapped(node: Callable[[Context, Any], Any], context: Context, value: Any) -> Any:
    """Make the node of a row; a dict is in the schema's shape already, as part of a type of which no row is at hand."""
    if value is None or isinstance(value, dict):
        return value
    if isinstance(value, list):
        return [_wrapped(node, context, row) for row in value]
    return node(context, value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"JSONString is JSON in a string, not {type(value).__name__}")
    return value


def _integer(value: Any) -> int:
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(whole, bool) or not isinstance(whole, int) or not -(2**63) <= whole < 2**63:
        raise GraphQLError("Int64 is a whole number of 64 bits")
    return whole


def _moment(value: float | str) -> str:
    """Write a time as the SDK reads it: rows have seconds since 1970, console lines what their process wrote."""
    if isinstance(value, str):
        return value
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_literal(read: Callable[[Any], Any], node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """Read a value written out in the document."""
    try:
        return read(value_from_ast_untyped(node, variables))
    except ValueError as error:  # an integer of thousands of digits
        raise GraphQLError(f"a value cannot be read: {error}") from error


_MAX_INT = 2**31 - 1

_READERS: dict[str, Callable[[Any], Any]] = {"JSONString": _text, "Int64": _integer}


def _literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """Read an input object written out in the document; variables that were not sent are left out of it."""
    return _without_unset(value_from_ast_untyped(node, variables))


def _without_unset(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_unset(inner) for key, inner in value.items() if inner is not Undefined}
    return value


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])|(?<=[A-Z])([A-Z])(?=[a-z])", r"_\g<0>", name).lower()


_ARGUMENTS = {"input": "fields", "id": "global_name"}
"""Arguments that have another name in Python, where theirs is a builtin."""
