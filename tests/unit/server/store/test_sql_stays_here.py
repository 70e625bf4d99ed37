"""SQL is written in this room and nowhere else: who wants rows asks a function named after them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[4] / "sweeper"
ROOM = PACKAGE / "server" / "store"
SQL = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bINSERT (OR \w+ )?INTO\b|\bUPDATE \w+ SET\b|\bDELETE FROM\b|\bPRAGMA \w+|\w (=|<>|<|>) \?",
    re.DOTALL,
)
CALLS = {"execute", "executemany", "executescript"}


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """All string literals, those of f-strings with a question mark for each value, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "?" for part in node.values]
            yield node.lineno, "".join(map(str, parts))


def sql_in(code: str) -> list[int]:
    """The lines of a module with SQL, or with a call that runs some."""
    tree = ast.parse(code)
    calls = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS
    ]
    return sorted({*calls, *(line for line, text in texts(tree) if SQL.search(text))})


def modules() -> list[Path]:
    """The modules of all other rooms."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if not path.is_relative_to(ROOM)]


def test_no_other_room_writes_sql():
    """No text outside looks like SQL, and nothing there hands a text to a database."""
    found = {str(path.relative_to(PACKAGE)): sql_in(path.read_text("utf-8")) for path in modules()}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    [
        'query = "SELECT name\\n FROM runs"',
        'query = "INSERT OR IGNORE INTO runs VALUES (1)"',
        'query = f"UPDATE runs SET {column} = 1"',
        'query = f"DELETE FROM {table}"',
        'runs.where(db, "sweep_id = ?", (1,))',
        "db.execute(query)",
        "db.executemany(query, rows)",
    ],
)
def test_sql_is_known_by_its_looks(code):
    """Each way to write or run SQL is seen."""
    assert sql_in(code) == [1]


def test_plain_words_are_no_sql():
    """Text for people, and text for the client, is not taken for SQL."""
    assert sql_in('say("Select a sweep", "delete the file", "update the sweep", "is a < b?")') == []
