"""Where words go, and what they look like."""

from __future__ import annotations

import io
import json
import math
import re
from datetime import UTC, datetime

import pytest
from rich.color import ColorSystem
from rich.console import Console, Group
from rich.table import Table

from sweeper.cli import output
from sweeper.cli.output import Terminal, complain, escape, json_text, out, progress_bar, say_backend, say_next
from sweeper.errors import SweeperError
from sweeper.plain_text import HOSTILE
from sweeper.settings import Backend


def test_an_error_is_two_lines_on_stderr(capsys):
    """What is wrong, then what to do; brackets in it are text and no markup."""
    complain(SweeperError("no run [red]x[/red]", "see `sweeper status`"))
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "error: no run [red]x[/red]\n  see `sweeper status`\n")


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_json_has_no_numbers_that_are_none(odd):
    """They are null, wherever they stand; all else is as it was."""
    told = {"a": odd, "b": [1, odd, {"c": odd}], "d": 0.5, "e": "NaN", "f": datetime(2026, 1, 2, tzinfo=UTC), "ü": None}
    plain = {"a": None, "b": [1, None, {"c": None}], "d": 0.5, "e": "NaN", "f": "2026-01-02T00:00:00+00:00", "ü": None}
    assert json.loads(json_text(told), parse_constant=pytest.fail) == plain
    assert json_text({"ü": 1}) == '{"ü": 1}'


def test_our_own_stand_in_for_a_bracket_is_no_bracket(capsys):
    """A text that holds it makes no markup."""
    out.print(f"{escape(chr(0xFDD0) + 'red]x')}", soft_wrap=True)
    assert capsys.readouterr().out == "red]x\n"


def test_an_error_without_advice_is_one_line(capsys):
    """No empty line stands where the advice would be."""
    complain(SweeperError("x " * 100))
    assert capsys.readouterr().err.count("\n") == 1


def test_a_server_is_called_what_it_is(capsys):
    """The embedded one, a job of a cluster, or W&B's."""
    say_backend(Backend(kind="local", base_url="http://127.0.0.1:1"))
    say_backend(Backend(kind="local", base_url="http://127.0.0.1:2", job="Slurm job 7"))
    say_backend(Backend(kind="wandb", base_url="https://wandb.acme.org"))
    assert capsys.readouterr().err.splitlines() == [
        "server: http://127.0.0.1:1 (embedded server)",
        "server: http://127.0.0.1:2 (Slurm job 7)",
        "server: https://wandb.acme.org (W&B server)",
    ]


def test_the_next_command_is_whole(capsys):
    """One line, however long, to be copied."""
    say_next("sweeper best " + "x" * 200)
    assert capsys.readouterr().out == f"next: sweeper best {'x' * 200}\n"


ODD = ["[/oops]", "a[b]", "[/", "x]", "\\\\", "[", "[bold", ":smile:", "\\[red]"]


@pytest.mark.parametrize("first", ODD)
@pytest.mark.parametrize("second", ODD)
def test_texts_of_others_stand_in_a_line_as_they_are(capsys, first, second):
    """Also two that would make a tag together, which rich's own function lets through."""
    out.print(f"[bold]run[/]  {escape(first)} ({escape(second)}, finished)", soft_wrap=True)
    assert capsys.readouterr().out == f"run  {first} ({second}, finished)\n"


def test_nothing_of_others_is_obeyed(capsys):
    """In a line, an error, a table, a line that somebody forgot to escape; our own colours stay."""
    hostile = "\x1b]0;title\x07\x1b[2Ja\x9b2J\u202eb\r\x07"
    out.print(f"[bold]run[/] {escape(hostile)}")
    out.print(hostile, "[/oops]")
    complain(SweeperError(hostile, hostile))
    table = Table(hostile)
    table.add_row(hostile)
    out.print(table, Group(hostile, "[/oops]"))
    said = "".join(capsys.readouterr())
    assert not re.search(rf"[{HOSTILE}]", said.replace("\n", ""))
    assert said.count("ab") == 7
    screen = Terminal()
    screen.file, screen._force_terminal, screen._color_system = io.StringIO(), True, ColorSystem.STANDARD
    screen.print(f"[red]{escape(hostile)}[/]")
    assert screen.file.getvalue() == "\x1b[31m0;titleab\x1b[0m\n"


def test_json_has_every_character_and_obeys_none(capsys):
    """Scripts read values as they are; what a terminal obeys is written as its code."""
    value = {"name": "\x1b[2J\x9b\u202eä[/oops]\u2028" + "x" * 200}
    out.print_json(json.dumps(value))
    said = capsys.readouterr().out
    assert json.loads(said) == value
    assert "ä[/oops]" in said
    assert not re.search(rf"[{HOSTILE}]", said.replace("\n", ""))


def test_a_bar_is_for_terminals(capsys):
    """A log file gets none of it."""
    with progress_bar("files") as bar:
        bar.reach(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_bar_counts(monkeypatch):
    """One by one, or as far as somebody says."""
    screen = Console(file=io.StringIO(), force_terminal=True, width=80, highlight=False)
    monkeypatch.setattr(output, "err", screen)
    with progress_bar("runs", 5) as bar:
        bar.advance()
        bar._progress.refresh()
        bar.reach(3, 4)
        bar._progress.refresh()
    shown = screen.file.getvalue()
    assert "1/5" in shown
    assert "3/4" in shown
