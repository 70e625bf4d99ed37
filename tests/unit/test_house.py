"""The house keeps its shape: sizes, names, and a test beside every module that has rules."""

from __future__ import annotations

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_MODULE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 350, 60, 10
SEAM = (
    "look for the seam: a group of functions that share their arguments, a record with rules of its own, or what asks"
    " the world apart from what decides; give it a module named after its noun, in the same room"
)
WITHOUT_RULES = frozenset({"__init__.py", "__main__.py"})


def _trees(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


@pytest.mark.parametrize("package", ["sweeper", "trainer"])
def test_no_module_is_too_long(package):
    """A module fits into a reader's head: 350 lines at most."""
    lengths = {str(file): len((ROOT / file).read_text("utf-8").splitlines()) for file, _ in _trees(package)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}, SEAM


@pytest.mark.parametrize("package", ["sweeper", "trainer"])
def test_no_function_is_too_long(package):
    """A function fits onto a screen: 60 lines at most, 10 at the median."""
    lengths = {f"{file}:{node.name}": _length(node) for file, tree in _trees(package) for node in _functions(tree)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}, SEAM
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION


def test_no_two_classes_have_one_name():
    """A name that is searched for is found once."""
    places: dict[str, list[str]] = {}
    for file, tree in _trees("sweeper", "trainer"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name.lstrip("_"), []).append(str(file))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_every_module_with_rules_has_its_test():
    """tests/unit mirrors sweeper/ and trainer/: whoever changes a module knows which file to open."""
    missing = [
        str(file)
        for file, tree in _trees("sweeper", "trainer")
        if file.name not in WITHOUT_RULES and any(_functions(tree)) and not (ROOT / _mirror(file)).exists()
    ]
    assert missing == []


def _mirror(file: Path) -> Path:
    """Name a module's test: sweeper/server/rules/reaper.py has tests/unit/server/rules/test_reaper.py."""
    inner = file.relative_to("sweeper") if file.parts[0] == "sweeper" else file
    return Path("tests/unit") / inner.with_name(f"test_{file.name}")


def test_the_map_shows_the_floors_that_the_lint_enforces():
    """docs/architecture.md and pyproject.toml draw the same house."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    drawn = (ROOT / "docs" / "architecture.md").read_text().split("## The rooms")[1].split("```")[1]
    assert [re.split(r"  +", line)[0] for line in drawn.strip().splitlines()] == contract["layers"]
