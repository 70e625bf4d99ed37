"""What the documentation promises about its own completeness."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper import errors
from sweeper.cli import app
from sweeper.cli.server import app as server_app
from sweeper.run import RunState, SweepState

ROOT = Path(__file__).parents[2]
_ENTRY = re.compile(r"^\*\*(?P<term>[^*]+)\*\*: (?P<text>.+)$", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?](?=\s+[A-Z`]|\Z)")


def _entries(heading: str = "") -> dict[str, str]:
    """Read the glossary: term to explanation, of all sections or of the one under `heading`."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    if heading:
        text = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return {match["term"]: match["text"] for match in _ENTRY.finditer(text)}


def test_the_glossary_names_exactly_the_run_states() -> None:
    """A run state is in the glossary if and only if the code has it."""
    assert set(_entries("Run states")) == {state.value for state in RunState}


def test_the_glossary_names_exactly_the_sweep_states() -> None:
    """A sweep state is in the glossary if and only if the code has it."""
    assert set(_entries("Sweep states")) == {state.value for state in SweepState}


@pytest.mark.parametrize("noun", ["entity", "project", "ticket", "definition", "backend", "run", "sweep", "slot"])
def test_the_glossary_explains_the_nouns_of_the_command_line(noun: str) -> None:
    """Every noun that commands print is explained."""
    assert noun in _entries()


@pytest.mark.parametrize(("term", "text"), _entries().items(), ids=_entries())
def test_a_word_is_explained_in_two_sentences(term: str, text: str) -> None:
    """An entry says what the word is and what sets it apart, and stops."""
    assert len(_SENTENCE_END.findall(text)) == 2, f"{term}: {text}"


def test_the_readme_names_every_command() -> None:
    """A command that is not in the README's table is a command nobody finds."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [command.name or command.callback.__name__ for command in app.registered_commands]
    commands += [f"server {command.name}" for command in server_app.registered_commands]
    assert [name for name in commands if f"| `sweeper {name}" not in readme] == []


def test_links_lead_somewhere() -> None:
    """Every relative link of the README and docs/ points at a file."""
    for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        links = re.findall(r"\]\((?!https?://)([^)#]+)", file.read_text(encoding="utf-8"))
        assert [link for link in links if not (file.parent / link).exists()] == []


def test_the_error_tree_is_drawn_whole() -> None:
    """The drawing in errors.py has every error, and every error says what it is."""
    classes = {name: item for name, item in vars(errors).items() if isinstance(item, type)}
    assert [name for name in classes if name not in (errors.__doc__ or "")] == []
    assert [name for name, item in classes.items() if not item.__doc__] == []


def _functions(folder: str) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield file, node


def test_every_test_is_a_sentence() -> None:
    """A test states in its docstring the behaviour it defends."""
    tests = [node for _, node in _functions("tests") if node.name.startswith("test_")]
    assert [node.name for node in tests if not ast.get_docstring(node)] == []
