"""A YAML document with the place of every key, so that an error can say where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, Literal

import yaml

from sweeper.definition import yaml_syntax
from sweeper.definition.yaml_syntax import TAG
from sweeper.errors import DefinitionError
from sweeper.nearest import nearest

MAX_CHARACTERS = 250_000
"""A sweep file is a page; this much is a mistake or an attack, and takes the YAML reader seconds."""
MAX_PLACES = 20_000
MAX_DEPTH = 50
MAX_FAULTS = 50
MAX_CHOICES = 25
MAX_DIGITS = 100
"""Of a number, in its text: 64 bits have 64 at most, and Python takes long over thousands."""

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
        level: A warning does not keep the sweep from running.
    """

    line: int
    column: int
    path: Path
    message: str
    fix: str
    level: Literal["error", "warning"] = "error"

    def render(self, source: str) -> str:
        """Print it as compilers do: `file:line:column: key: message`, the fix below."""
        place = f"{source}:{self.line}:{self.column}" if self.line else source
        key = ".".join(str(key)[:80] for key in self.path)
        level = "" if self.level == "error" else self.level
        head = ": ".join(part for part in (place, level, key, self.message) if part)
        return f"{head}\n    {self.fix}" if self.fix else head


_TOO_LONG = Fault(
    1,
    1,
    (),
    f"longer than {MAX_CHARACTERS:,} characters",
    "a sweep file is a page of YAML: list fewer values, or give `min` and `max`",
)


def faulty(source: str, faults: Iterable[Fault]) -> DefinitionError:
    """Make one error of all faults, in the order of the file."""
    found = sorted(faults, key=lambda fault: (fault.line, fault.column))
    lines = [fault.render(source) for fault in found[:MAX_FAULTS]]
    if len(found) > MAX_FAULTS:
        lines.append(f"{source}: and {len(found) - MAX_FAULTS} more faults")
    return DefinitionError("\n".join(lines), faults=found)


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML text says and where it says it.

    Attributes:
        data: The top-level mapping. Keys are text, as in JSON; values are JSON values.
        places: Path of keys -> (line, column) of the last key, counted from 1.
        faults: What is wrong with the YAML itself, such as a key that stands twice.
        spelled: Path -> text of the plain (unquoted) scalars that YAML reads otherwise than they look: `1e-5` and
            `None` are text, `on` is true, `010` is 8, `1:30` is 90, and nothing at all is null.
        empty: Paths of keys whose value is null, which is what YAML reads where nothing stands.
    """

    data: Mapping[str, Any]
    places: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    faults: Sequence[Fault] = ()
    spelled: Mapping[Path, str] = field(default_factory=dict)
    empty: Sequence[Path] = ()

    def place(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Find the nearest place on the way to a path."""
        for end in range(len(path), -1, -1):
            if place := self.places.get(tuple(path[:end])):
                return place
        return 0, 0


def read_file(path: File) -> str:
    """Read a file that may hold a sweep, at most as much of it as a sweep file can have.

    Raises:
        DefinitionError: It cannot be read, is not UTF-8 text, or too long.
    """
    try:
        with path.open("rb") as file:
            # never the whole file: `sweeper check` may be pointed at a disk image
            found = file.read(4 * MAX_CHARACTERS + 1)  # a character takes at most four bytes
    except OSError as error:
        fix = "give the path of a YAML file, such as sweeps/quickstart.yaml"
        raise DefinitionError(f"{path}: {error.strerror}", fix) from error
    if len(found) > 4 * MAX_CHARACTERS:
        raise faulty(str(path), [_TOO_LONG])
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if found[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise DefinitionError(f"{path}: is UTF-16 text", "save the YAML file as UTF-8") from error
        line = found.count(b"\n", 0, error.start) + 1
        raise DefinitionError(f"{path}: not UTF-8 text on line {line}", "save the YAML file as UTF-8") from error


def read(text: str, source: str) -> Document:
    """Read a YAML mapping.

    Raises:
        DefinitionError: The text is too long, no YAML or no mapping.
    """
    loader, walk = _loader(text, source), _Walk()
    if odd := yaml_syntax.strange_space(text):
        raise faulty(source, [Fault(odd.line, odd.column, (), odd.message, odd.fix)])
    try:
        root = loader.get_single_node()
        if root is not None:
            walk.visit(root, ())
        data = None if root is None or walk.endless else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        problem = yaml_syntax.explain(error, text)
        raise faulty(source, [Fault(problem.line, problem.column, (), problem.message, problem.fix)]) from error
    except RecursionError as error:
        place = loader.line + 1, loader.column + 1
        raise faulty(source, [Fault(*place, (), f"nested deeper than {MAX_DEPTH} levels", "flatten it")]) from error
    except ValueError as error:  # "\U00110000" is no character
        place = loader.line + 1, loader.column + 1
        raise faulty(source, [Fault(*place, (), f"not YAML: {error}", yaml_syntax.CHECK_LINE)]) from error
    if walk.endless:
        raise faulty(source, [walk.endless])
    if not isinstance(data, dict):
        raise faulty(source, [_no_mapping(data)])
    return Document(data, walk.places, walk.faults, walk.spelled, walk.empty)


def _no_mapping(data: object) -> Fault:
    start = "start with `method: random` and `parameters:`"
    if data is None:
        return Fault(1, 1, (), "the file is empty", start)
    if isinstance(data, list):
        return Fault(1, 1, (), "a list stands where keys should", f"{start}, without `- ` before them")
    colon = "" if ": " in str(data) else "; a key ends with a colon and a space"
    return Fault(1, 1, (), "a single value stands where keys should", start + colon)


def _loader(text: str, source: str) -> _Loader:
    if len(text) > MAX_CHARACTERS:
        raise faulty(source, [_TOO_LONG])
    try:
        return _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        fix = "remove the control character, or put it into quotes as \\xNN"
        raise faulty(source, [Fault(line, column, (), f"not YAML: {error.reason}", fix)]) from error


class _Loader(yaml.SafeLoader):
    """Builds JSON values only: keys are text, and what JSON lacks (dates, binary data, sets) stays text."""

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        # half of a surrogate pair has no UTF-8, so no database could keep it
        if _HALF.search(node.value):
            raise yaml.composer.ComposerError(None, None, "half a character", node.start_mark)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (LookupError, ValueError, OverflowError) as error:  # !!bool abc
            found = f"not what its tag {node.tag.replace(TAG, '!!')} says"
            raise yaml.constructor.ConstructorError(None, None, found, node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(None, None, "expected keys", node.start_mark)
        self.flatten_mapping(node)
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
        # the text of the key and not what YAML makes of it: `on` and `1` stay names, as in JSON
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def construct_text(self, node: yaml.Node) -> str:
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def construct_int(self, node: yaml.ScalarNode) -> int | str:
        return self.construct_yaml_int(node) if len(node.value) <= MAX_DIGITS else self.construct_text(node)


_NO_JSON = {"timestamp": "a date", "binary": "binary data", "set": "a set", "omap": "an ordered map", "pairs": "pairs"}
_HALF = re.compile("[\ud800-\udfff]")
for _kind in (*_NO_JSON, "value", "merge"):  # the last two are `=` and `<<` where a value stands
    _Loader.add_constructor(TAG + _kind, _Loader.construct_text)
_Loader.add_constructor(TAG + "int", _Loader.construct_int)


class _Walk:
    """Notes the place of every key, and what is odd. An alias is walked wherever it is used.

    A few lines of aliases or merges (`<<`) can unfold without end: `endless` then says so, before anything is built.
    """

    def __init__(self) -> None:
        self.places: dict[Path, tuple[int, int]] = {(): (1, 1)}
        self.faults: list[Fault] = []
        self.spelled: dict[Path, str] = {}
        self.empty: list[Path] = []
        self.endless: Fault | None = None
        self._visits = 0

    def visit(self, node: yaml.Node, path: Path) -> None:
        """Walk a node and all below it."""
        if not self._spend(node, path):
            return
        if isinstance(node, yaml.ScalarNode):
            self._scalar(node, path)
        elif isinstance(node, yaml.SequenceNode):
            self._known(node, path)
            for index, item in enumerate(node.value):
                self.places[*path, index] = _mark(item)
                self.visit(item, (*path, index))
        elif isinstance(node, yaml.MappingNode):
            self._known(node, path)
            self._mapping(node, path, merges=0)

    def _mapping(self, node: yaml.MappingNode, path: Path, *, merges: int) -> None:
        own = [(key, value) for key, value in node.value if key.tag != TAG + "merge"]
        for key, value in own:
            here = (*path, str(key.value))
            # a key that `<<` brings in stands below one of the mapping itself, which is how merging is meant
            if here in self.places and not merges:
                found = f"stands twice, first on line {self.places[here][0]}"
                self.faults.append(Fault(*_mark(key), here, found, "keep one of them"))
            elif here not in self.places:
                self.places[here] = _mark(key)
                self.visit(value, here)
        for value in (value for key, value in node.value if key.tag == TAG + "merge"):
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                self._merge(source, path, merges + 1)

    def _merge(self, source: yaml.Node, path: Path, merges: int) -> None:
        """Walk what `<<` brings in; keys of the mapping itself win over it."""
        if isinstance(source, yaml.MappingNode) and self._spend(source, path, merges):
            self._mapping(source, path, merges=merges)

    def _spend(self, node: yaml.Node, path: Path, merges: int = 0) -> bool:
        """Count one more node; False once there are too many of them."""
        self._visits += 1
        # ten lines of aliases to aliases can stand for 10^10 values
        if self.endless is None and (self._visits > MAX_PLACES or len(path) + merges > MAX_DEPTH):
            found = f"unfolds to more than {MAX_PLACES:,} values or {MAX_DEPTH} levels"
            self.endless = Fault(*_mark(node), path[:1], found, "write it out without so many aliases (`*name`)")
        return self.endless is None

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> None:
        self._known(node, path)
        kind, text = node.tag.removeprefix(TAG), node.value
        if kind == "int" and len(text) > MAX_DIGITS:
            found = f"a whole number of {len(text):,} digits"
            self.faults.append(Fault(*_mark(node), path, found, "write it with a point: 1.0e+30"))
        elif kind == "float" and text.lower().lstrip("+-") in {".inf", ".nan"}:
            self.faults.append(Fault(*_mark(node), path, f"{text} is not a finite number", "write a finite number"))
        elif kind == "null":
            self.empty.append(path)
            if not text:
                self.spelled[path] = ""
        elif node.style is None and _misread(kind, text):
            self.spelled[path] = text

    def _known(self, node: yaml.Node, path: Path) -> None:
        if found := _NO_JSON.get(node.tag.removeprefix(TAG)):
            fix = "put it into quotes" if isinstance(node, yaml.ScalarNode) else "write a list or a mapping"
            self.faults.append(Fault(*_mark(node), path, f"is {found}, which no run's config can hold", fix))


def _misread(kind: str, text: str) -> bool:
    """Whether YAML 1.1 reads an unquoted text otherwise than most people do."""
    if kind == "str":
        return bool(YAML_TEXT.fullmatch(text) or _OTHER_VALUES.fullmatch(text))
    if kind == "bool":
        return text.lower() not in {"true", "false"}
    return kind in {"int", "float"} and (":" in text or bool(re.fullmatch(r"[-+]?0[0-7_]+", text)))


_OTHER_VALUES = re.compile(
    r"None|nil|[-+]?0o[0-7]+|\d+/\d+|\d+(\.\d+)?(\*\*|\^)-?\d+"
    r"|[-+]?\d[\d.eE+-]*([, ]+[-+]?\d[\d.eE+-]*)+|[\u201c-\u201f\u2018-\u201b\u00ab].*"
)
"""What other languages read as null or numbers, numbers without commas, and quotes that are none for YAML."""
YAML_TEXT = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?")
"""What looks like a number; where YAML 1.1 reads it as text, it lacks a point or the sign of its exponent."""


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Say which known word was meant, or list what there is."""
    known = list(known)
    if meant := nearest(word, known) if isinstance(word, str) else "":
        return f"did you mean `{meant}`?"
    return f"choose from {', '.join(known[:MAX_CHOICES])}{', ...' if len(known) > MAX_CHOICES else ''}"
