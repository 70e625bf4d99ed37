"""A YAML document with the place of every key, so that an error can say where."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from sweeper.errors import DefinitionError

MAX_CHARACTERS = 1_000_000
"""A sweep file is a page; a megabyte is a mistake or an attack."""
MAX_PLACES = 100_000
MAX_DEPTH = 50
MAX_FAULTS = 50

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong in a document.

    Attributes:
        line: Counted from 1; 0 if the document has no text (a dict given from Python).
        column: Counted from 1.
        path: Keys from the top, e.g. `("parameters", "lr", "min")`.
        message: What was found.
        fix: What to write instead.
    """

    line: int
    column: int
    path: Path
    message: str
    fix: str

    def render(self, source: str) -> str:
        """Print it as compilers do: `file:line:column: key: message`, the fix below."""
        place = f"{source}:{self.line}:{self.column}" if self.line else source
        key = ".".join(map(str, self.path))
        head = f"{place}: {key}: {self.message}" if key else f"{place}: {self.message}"
        return f"{head}\n    {self.fix}" if self.fix else head


def faulty(source: str, faults: Iterable[Fault]) -> DefinitionError:
    """Make one error of all faults, in the order of the file."""
    return DefinitionError("\n".join(fault.render(source) for fault in sorted(faults, key=_place)))


def _place(fault: Fault) -> tuple[int, int]:
    return fault.line, fault.column


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML text says and where it says it.

    Attributes:
        data: The top-level mapping.
        places: Path of keys -> (line, column) of the last key, counted from 1.
    """

    data: Mapping[str, Any]
    places: Mapping[Path, tuple[int, int]]

    def place(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Find the nearest place on the way to a path."""
        for end in range(len(path), -1, -1):
            if place := self.places.get(tuple(path[:end])):
                return place
        return 0, 0


def read(text: str, source: str) -> Document:
    """Read a YAML mapping.

    Raises:
        DefinitionError: The text is too long, no YAML, no mapping, or has a key twice.
    """
    if len(text) > MAX_CHARACTERS:
        limit = f"a sweep file has at most {MAX_CHARACTERS:,}"
        raise faulty(source, [Fault(1, 1, (), f"{len(text):,} characters", limit)])
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        data = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise faulty(source, [_syntax(error)]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise faulty(source, [Fault(1, 1, (), f"not YAML: {error}", "")]) from error
    if not isinstance(data, dict) or not isinstance(root, yaml.MappingNode):
        found = "the file is empty" if data is None else f"a {type(data).__name__} stands where keys should"
        raise faulty(source, [Fault(1, 1, (), found, "start with `method: random` and `parameters:`")])
    places: dict[Path, tuple[int, int]] = {(): (1, 1)}
    faults = list(itertools.islice(_walk(root, (), places), MAX_FAULTS))
    if faults:
        raise faulty(source, faults)
    return Document(data, places)


def _syntax(error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    fix = "indent with spaces" if "\\t" in str(error.problem) else error.context or ""
    return Fault(line, column, (), f"not YAML: {error.problem}", fix)


def _walk(node: yaml.Node, path: Path, places: dict[Path, tuple[int, int]]) -> Iterator[Fault]:
    """Note the place of every key under a node; yield the keys that stand twice.

    An alias is walked wherever it is used, so a few lines can unfold without end: that is a fault as well.
    """
    if len(places) > MAX_PLACES or len(path) > MAX_DEPTH:
        yield Fault(
            node.start_mark.line + 1,
            node.start_mark.column + 1,
            path[:1],
            f"unfolds to more than {MAX_PLACES:,} values or {MAX_DEPTH} levels",
            "write it out without so many aliases (`*name`)",
        )
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[*path, index] = item.start_mark.line + 1, item.start_mark.column + 1
            yield from _walk(item, (*path, index), places)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            place = key.start_mark.line + 1, key.start_mark.column + 1
            if here in places:
                first = places[here][0]
                yield Fault(*place, here, f"stands twice, first on line {first}", "keep one of them")
            places[here] = place
            yield from _walk(value, here, places)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Say which known word was meant, or list them all."""
    known = list(known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else f"choose from {', '.join(known)}"
