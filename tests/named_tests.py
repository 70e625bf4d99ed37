"""Tests that a document names, as `file::test` or `file`: whether there are such."""

from __future__ import annotations

import re
from functools import cache

from tests.conftest import ROOT

_NAMED = re.compile(r"`(?P<file>(?:[\w/-]+/)?test_\w+)(?:\.py)?(?:::(?P<test>test_\w+))?`")
_TEST = re.compile(r"^(?:async )?def (test_\w+)|^    (?:async )?def (test_\w+)", re.MULTILINE)


@cache
def _known() -> dict[str, frozenset[str]]:
    """List the tests of every file, by its name without its folder, and by its path."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        names = {first or second for first, second in _TEST.findall(path.read_text(encoding="utf-8"))}
        for name in (path.stem, path.relative_to(ROOT / "tests").with_suffix("").as_posix()):
            found.setdefault(name, set()).update(names)
    return {name: frozenset(tests) for name, tests in found.items()}


def named(text: str) -> list[tuple[str, str]]:
    """List what a text names: file and test, which is empty where all of the file is meant."""
    return [(match["file"].removeprefix("tests/"), match["test"] or "") for match in _NAMED.finditer(text)]


def missing(text: str) -> list[str]:
    """List what a text names and is not there."""
    known = _known()
    gone = [(file, test) for file, test in named(text) if file not in known or (test and test not in known[file])]
    return [f"{file}::{test}" if test else file for file, test in gone]
