"""Code that Python does not read."""

from __future__ import annotations

import pytest

from sweeper.definition.obstacle import Obstacle, in_code


@pytest.mark.parametrize(
    ("name", "content", "found", "fix"),
    [
        ("a.py", b"x = 1\nf(:\n", "a.py, line 2: SyntaxError", "mend"),
        ("a.py", b"return 3\n", "line 1: SyntaxError: 'return' outside function", "mend"),
        ("a.py", b"  x = 1\n", "IndentationError", "mend"),
        ("a.py", b"x = '\xfc'\n", "SyntaxError", "mend"),
        ("a.py", b"x = 1\0", "null bytes", "mend"),
        ("run.sh", b"if [ 1 ]; then\n", "SyntaxError", 'add `command: [bash, "${program}", "${args}"]`'),
    ],
)
def test_code_that_does_not_compile_is_an_obstacle(tmp_path, name, content, found, fix):
    """With its line; it is never run."""
    (tmp_path / name).write_bytes(content)
    [said] = in_code(tmp_path / name, ("program",))
    assert (said.kind, said.key, said.is_error) == ("wrong", ("program",), True)
    assert found in said.message
    assert fix in said.fix


def test_code_that_compiles_is_none(tmp_path):
    """Warnings of Python are no matter of ours."""
    (tmp_path / "a.py").write_text("x = '\\d'\nx is 3\nraise SystemExit\n")
    assert list(in_code(tmp_path / "a.py", ())) == []


@pytest.mark.parametrize(("kind", "is_error"), [("missing", True), ("wrong", True), ("unsaid", False), ("note", False)])
def test_a_sweep_is_kept_from_being_created_by_two_kinds(kind, is_error):
    """The others are told."""
    assert Obstacle(kind, (), "found", "fix").is_error == is_error
