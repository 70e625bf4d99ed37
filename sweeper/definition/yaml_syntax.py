"""What is wrong with a text that is no YAML, in words: which bracket or quote stays open, and where it was opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import yaml

TAG = "tag:yaml.org,2002:"
CHECK_LINE = "check the indentation, colons and quotes on this line and the one above"
_CLOSING = {"[": "]", "{": "}", '"': '"', "'": "'"}
_ADVICE = {
    "another document": "a file holds one sweep: remove the line `---`",
    "undefined alias": "put the text into quotes, or write `&name` at the value that `*name` stands for",
    "constructor for the tag": "remove the tag, or put the text into quotes",
    "cannot start any token": "put the text into quotes",
    "but got '{'": "put the text with braces into quotes",
    "but found ']'": "remove the `]`, or open a `[` before it; check quotes and indentation",
    "but found '}'": "remove the `}`, or open a `{` before it; check quotes and indentation",
    "but got ':'": "write a comma between the entries, or check the quotes",
    "'<block mapping start>'": "check the indentation: keys of one level begin in the same column",
    "'<block sequence start>'": "check the indentation: entries of one level begin in the same column",
}
_NO_SPACE = re.compile(r"^\s*(?:- )?([A-Za-z_][\w.-]*):([^\s:/].*)$")


class Problem(NamedTuple):
    """What is wrong, counted from 1, and what to write instead."""

    line: int
    column: int
    message: str
    fix: str


def strange_space(text: str) -> Problem | None:
    """Find an indentation by a space that only looks like one, as web pages and word processors have it."""
    found = re.search("^ *[\u00a0\u2000-\u200b\u202f\u3000]", text, re.MULTILINE)
    if found is None:
        return None
    line = text.count("\n", 0, found.end()) + 1
    message = "not YAML: the indentation has a space that is none (as copied from a web page)"
    return Problem(line, found.end() - found.start(), message, "delete it, and type plain spaces")


def explain(error: yaml.MarkedYAMLError, text: str) -> Problem:
    """Say what is wrong with a text, at the place where a person has to mend it.

    Args:
        error: What the reader met.
        text: The whole document.
    """
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(1, 1, f"not YAML: {error.problem}", CHECK_LINE)
    if "\\t" in str(error.problem):
        return Problem(mark.line + 1, mark.column + 1, "a tab: YAML indents with spaces", "replace the tab by spaces")
    known = _never_closed(error, mark, text) or _closed_late(mark, text) or _no_space(mark, text)
    return known or _as_read(error, mark)


def _never_closed(error: yaml.MarkedYAMLError, mark: yaml.Mark, text: str) -> Problem | None:
    """Name a bracket or quote whose other half the reader missed."""
    context = str(error.context or "")
    quoted = context.startswith("while scanning a quoted")
    opened = error.context_mark if quoted else _open_bracket(mark, text)
    if opened is None or not (quoted or context.startswith("while parsing a flow")):
        return None
    sign = text[opened.index]
    if opened.line == mark.line and "stream" not in str(error.problem):  # the line tells enough
        if (wrong := re.search("but got '([]}])'", str(error.problem))) is None:
            return None
        found = f"not YAML: `{wrong[1]}`, while the `{sign}` of column {opened.column + 1} is open"
        return _at(mark, found, f"close that with `{_CLOSING[sign]}` first, or remove the `{wrong[1]}`")
    until = "" if mark.index >= len(text.rstrip()) else f": line {mark.line + 1} does not go on with it"
    kind = "quotes" if quoted else "brackets"
    return _at(
        opened, f"not YAML: the `{sign}` here is never closed{until}", f"add `{_CLOSING[sign]}`: {kind} come in pairs"
    )


def _open_bracket(mark: yaml.Mark, text: str) -> yaml.Mark | None:
    """Find the innermost bracket that is open at a place."""
    opened: list[yaml.Mark] = []
    for token in _tokens(text):
        if token.start_mark.index >= mark.index:
            break
        if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            opened.append(token.start_mark)
        elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken) and opened:
            opened.pop()
    return opened[-1] if opened else None


def _closed_late(mark: yaml.Mark, text: str) -> Problem | None:
    """Name the quoted text that ends where the trouble begins: it was meant to end sooner, or later."""
    last = None
    for token in _tokens(text):
        if token.start_mark.index >= mark.index:
            break
        last = token
    if not isinstance(last, yaml.ScalarToken) or last.plain or last.end_mark.line != mark.line:
        return None
    sign = text[last.start_mark.index]
    if last.start_mark.line < mark.line:
        found = f"not YAML: the `{sign}` here is closed only on line {mark.line + 1}"
        return _at(last.start_mark, found, f"add `{sign}` where the text ends: quotes come in pairs")
    if sign == "'" and last.end_mark.index == mark.index:
        found = f"not YAML: the text in quotes ends before {text[mark.index : mark.index + 10].splitlines()[0]!r}"
        return _at(mark, found, "write an apostrophe twice (''), or put the text into double quotes")
    return None


def _tokens(text: str) -> Iterator[yaml.Token]:
    try:
        yield from yaml.scan(text, yaml.SafeLoader)
    except yaml.YAMLError:  # known by now
        return


def _no_space(mark: yaml.Mark, text: str) -> Problem | None:
    """Name a line such as `method:random`, on which no key ends."""
    lines = text.splitlines()
    for number in (mark.line, *range(mark.line - 1, -1, -1)):
        line = lines[number] if number < len(lines) else ""
        if found := _NO_SPACE.match(line):
            message = f"not YAML: no space after the colon of `{found[1]}:`"
            return Problem(number + 1, found.end(1) + 1, message, f"write `{found[1]}: {found[2][:40]}`")
        if number < mark.line and line.strip() and not line.lstrip().startswith("#"):
            return None
    return None


def _as_read(error: yaml.MarkedYAMLError, mark: yaml.Mark) -> Problem:
    problem = str(error.problem)
    fix = next((advice for word, advice in _ADVICE.items() if word in problem), CHECK_LINE)
    found = f"{problem.replace(TAG, '!!')[:200]} {error.context or ''}".strip()
    return _at(mark, f"not YAML: {found}", fix)


def _at(mark: yaml.Mark, message: str, fix: str) -> Problem:
    return Problem(mark.line + 1, mark.column + 1, message, fix)
