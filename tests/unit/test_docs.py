"""What the documentation promises about its own completeness."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from sweeper import errors
from sweeper.cli import app
from sweeper.definition.sweep_definition import SweepDefinition
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


def _verbs(group: typer.Typer, before: str = "sweeper") -> Iterator[str]:
    """List what can be called, `sweeper server stop` as such."""
    for command in group.registered_commands:
        yield f"{before} {command.name or command.callback.__name__}"
    for below in group.registered_groups:
        yield from _verbs(below.typer_instance, f"{before} {below.name}")


def test_the_page_of_commands_has_every_command_and_no_other() -> None:
    """Each has one row, with an example of its own: one that is not there is one that nobody finds."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z -]*[a-z])[^`|]*` \| [^|]+ \| `([^`|]+)` \|$", page, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^\| `sweeper", page, re.MULTILINE))
    assert sorted(command for command, _ in rows) == sorted(_verbs(app))
    assert [command for command, example in rows if not f"{example} ".startswith(f"{command} ")] == []


def _typed(page: str) -> Iterator[str]:
    """Find the commands of ours on a page: in lines to be typed in, and between backticks."""
    typed = re.findall(r"^\$ (.*)$", page, re.MULTILINE) + re.findall(r"(?<!`)`([^`]+)`", page)
    for line in typed:
        without_comment = re.sub(r"\s#.*", "", " ".join(line.split()))
        for command in re.split(r"&&|\||;|\$\(|\)", without_comment):
            if command.strip().startswith("sweeper ") and "..." not in command:
                yield command.strip()


_program = functools.cache(lambda: typer.main.get_command(app))  # all commands are made anew each time


def _command(words: list[str]) -> Any:
    """Find what a command line calls; None if there is no such command."""
    found: Any = _program()
    for word in words:
        if found is None or not hasattr(found, "commands"):
            break
        found = found.commands.get(word)
    return found


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_every_command_on_a_page_can_be_typed_in(page: Path) -> None:
    """It is there, and so is each of its options."""
    for line in _typed(page.read_text(encoding="utf-8")):
        words = line.split()[1:]
        command = _command(words)
        assert command is not None, line
        known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert options <= known | {"--help", "-h"}, line


def test_the_sweep_file_of_the_readme_is_one() -> None:
    """A newcomer types it in as it stands."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert SweepDefinition.from_yaml(text).run_cap == 40


def _anchors(file: Path) -> set[str]:
    """List the anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere() -> None:
    """Every relative link of the README and docs/ points at a file, and at a heading that it has."""
    for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        links = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", file.read_text(encoding="utf-8"))
        there = [(file.parent / path if path else file, anchor) for path, anchor in links]
        assert [path for path, _ in there if not path.exists()] == []
        assert [(path, anchor) for path, anchor in there if anchor and anchor not in _anchors(path)] == []


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "pictures").iterdir()), ids=lambda path: path.name)
def test_a_picture_is_small_and_tells_nothing_of_where_it_was_drawn(picture: Path) -> None:
    """No font or script of somebody else's server, no folder of a person's; and a page shows it."""
    content = picture.read_bytes()
    assert len(content) < (200_000 if picture.suffix == ".svg" else 300_000)
    assert set(re.findall(rb"https?://[^/\s:\"<]+", content)) <= {b"http://www.w3.org", b"http://127.0.0.1"}
    assert not re.search(rb"/(home|root|tmp|Users|work)/|@font-face|<script|/login", content)
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(f"pictures/{picture.name})" in page.read_text(encoding="utf-8") for page in pages)


def _texts(folder: str) -> str:
    """Join all texts that code has, each on a line of its own."""
    nodes = (node for file in sorted((ROOT / folder).rglob("*.py")) for node in ast.walk(ast.parse(file.read_text())))
    return "\n".join(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_what_you_see_in_troubleshooting_is_what_sweeper_says() -> None:
    """Each message of a first column is one of the code's, word for word, so that a search for it finds the row."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    seen = [row.split("|")[1] for row in page.splitlines() if row.startswith("| ") and not row.startswith("| you see")]
    messages = [quoted for cell in seen for quoted in re.findall(r"`([^`]*[a-z] [^`]*)`", cell)]
    said = _texts("sweeper")
    parts = [part.strip(" ,:") for message in messages for part in message.split("...")]
    assert len(messages) > 30
    assert [part for part in parts if part not in said] == []


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


GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", GUARANTEES))), ids="::".join)
def test_a_promise_names_a_test_that_exists(named: tuple[str, str]) -> None:
    """Whoever doubts a promise can run its test."""
    file, test = named
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_has_its_test() -> None:
    """A row without one would be a hope."""
    promised = GUARANTEES.split("## What is not promised")[0]
    rows = [row for row in re.findall(r"^\| .*$", promised, re.MULTILINE) if not row.startswith("| promise |")]
    assert rows
    assert [row for row in rows if "::test_" not in row] == []


def test_the_promises_of_the_model_are_those_of_the_page() -> None:
    """The names under which `make test-model` reports stand in the page, with what they mean."""
    model = (ROOT / "tests" / "model" / "machine.py").read_text(encoding="utf-8")
    rules = GUARANTEES.split("## Rules of a sweep\n")[1].split("\n## ")[0]
    named = re.findall(r"^\| ([^|]+) \|", rules, re.MULTILINE)
    assert sorted(named[1:]) == sorted(set(re.findall(r'promise\(\s*"([^"]+)"', model)))
