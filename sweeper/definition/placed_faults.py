"""Faults of a document: what pydantic found, put to the places of the text."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from sweeper.definition.strict_model import as_number, reckoned
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
        text = found.spelled.get(tuple(path), "")
        if (number := as_number(text)) and isinstance(at(found.data, path), str):
            message, fix = f"YAML reads {text} as text, not as a number", f"write {number}"
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


def without_value(found: Document) -> Iterator[Fault]:
    """Find keys without a value, where null cannot be meant."""
    for path in found.empty:
        if not _FREE & {*path}:
            name, colon, value = str(path[-1]).partition(":") if path else ("", "", "")
            fix = "give it a value, or remove the line"
            yield Fault(*found.place(path), path, "is empty", f"write `{name}: {value}`" if colon and value else fix)


def misread(found: Document) -> Iterator[Fault]:
    """Find what YAML reads as text where a number or null was probably meant: `values: [1e-5, None]`.

    A text can stand there: W&B takes it, and trainers that call `float` are content.
    """
    for path, text in _texts(found):
        if ord(text[0]) > 0x7F:
            fix = "write straight quotes: \" or '"
            yield Fault(*found.place(path), path, f"the quotes are part of the text {text}", fix)
            continue
        meant, what = _meant(text), "null" if text in _NULLS else "a number"
        fix = f'write {meant}, or "{text}" for a text'
        yield Fault(*found.place(path), path, f"YAML reads {text} as text, not as {what}", fix)


def _texts(found: Document) -> Iterator[tuple[Path, str]]:
    for path, text in found.spelled.items():
        if path and path[0] not in _FREE_TEXT and isinstance(at(found.data, path), str):
            yield path, text


_NULLS = {"None", "nil"}


def _meant(text: str) -> str:
    if text in _NULLS:
        return "null"
    if text.lstrip("+-").startswith("0o"):
        return str(int(text, 8))
    if not as_number(text) and re.search("[, ]", text):
        return f"a list of numbers, with commas: [{', '.join(re.split('[, ]+', text))}]"
    return as_number(text) or reckoned(text) or "the number itself, since YAML does not calculate"


def as_meant(found: Document, names: Collection[str]) -> Document:
    """Take such texts for numbers where they are values of parameters that a trainer declares as real ones.

    Args:
        found: The document.
        names: Those parameters.
    """
    texts = [
        (path, number)
        for path, text in _texts(found)
        if path[0] == "parameters" and path[1] in names and path[2] in {"value", "values"}
        if (number := as_number(text))
    ]
    data = copy.deepcopy(found.data) if texts else found.data
    for path, number in texts:
        at(data, path[:-1])[path[-1]] = float(number)
    return replace(found, data=data)


def at(data: Any, path: Sequence[str | int]) -> Any:
    """Look up what stands at a path; None if there is nothing."""
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
