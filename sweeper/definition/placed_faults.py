"""Faults of a document: what pydantic found, put to the places of the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sweeper.definition.strict_model import as_number
from sweeper.definition.yaml_document import Document, Fault, Path

_FREE_TEXT = {"name", "description", "project", "entity", "program", "command", "job", "image_uri", "apiVersion"}
"""Keys whose value is text: a number there is taken as it is written."""

_FREE = {"value", "values", "initial", "conditions", "settings", "launch"}
"""Keys below which `null` is a value like any other."""


def placed(error: ValidationError, found: Document) -> Iterator[Fault]:
    """Turn pydantic's errors into faults with line, column and path."""
    for detail in error.errors(include_url=False):
        context = detail.get("ctx", {})
        path = [*_present(detail["loc"], found.data), *context.get("path", ())]
        message, fix = context.get("message", detail["msg"]), context.get("fix", "")
        yield Fault(*found.place(path), tuple(path), message, fix)


def _present(loc: Sequence[str | int], data: Any) -> Iterator[str | int]:
    """Keep the keys of the document: pydantic also names the form it tried (`uniform`, `nested`)."""
    for key in loc:
        if isinstance(data, Mapping):
            if key not in data:
                continue
            data = data[key]
        elif isinstance(data, list) and isinstance(key, int):
            data = data[key]
        else:
            continue
        yield key


def misread(found: Document) -> Iterator[Fault]:
    """Find numbers that YAML reads as text (`values: [1e-5]` would search a text), and keys without a value."""
    for path in found.empty:
        if not _FREE & {*path}:
            name, colon, value = str(path[-1]).partition(":") if path else ("", "", "")
            fix = "give it a value, or remove the line"
            yield Fault(*found.place(path), path, "is empty", f"write `{name}: {value}`" if colon and value else fix)
    for path, text in found.spelled.items():
        # texts are free to look like numbers; where a number can stand, a text is searched as a text
        meant = as_number(text)
        if meant and isinstance(_at(found.data, path), str) and path and path[0] not in _FREE_TEXT:
            fix = f'write {meant}, or "{text}" for a text' if {"value", "values"} & {*path} else f"write {meant}"
            yield Fault(*found.place(path), path, f"YAML reads {text} as text, not as a number", fix)


def _at(data: Any, path: Path) -> Any:
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):  # a key that stands twice
            return None
    return data


def joined(text: Iterable[Fault], model: Iterable[Fault]) -> list[Fault]:
    """Put the faults of the text and of the model together; where the text is at fault, the model only repeats it."""
    found = list(text)
    known = {fault.path for fault in found}
    return found + [fault for fault in dict.fromkeys(model) if fault.path not in known]
