"""Where words go, and what they look like."""

from __future__ import annotations

import io

from rich.console import Console

from sweeper.cli import output
from sweeper.cli.output import complain, progress_bar, say_backend, say_next
from sweeper.errors import SweeperError
from sweeper.settings import Backend


def test_an_error_is_two_lines_on_stderr(capsys):
    """What is wrong, then what to do; brackets in it are text and no markup."""
    complain(SweeperError("no run [red]x[/red]", "see `sweeper status`"))
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "error: no run [red]x[/red]\n  see `sweeper status`\n")


def test_an_error_without_advice_is_one_line(capsys):
    """No empty line stands where the advice would be."""
    complain(SweeperError("x " * 100))
    assert capsys.readouterr().err.count("\n") == 1


def test_a_server_is_called_what_it_is(capsys):
    """The embedded one, or W&B's."""
    say_backend(Backend(kind="local", base_url="http://127.0.0.1:1"))
    say_backend(Backend(kind="wandb", base_url="https://wandb.acme.org"))
    assert capsys.readouterr().err.splitlines() == [
        "server: http://127.0.0.1:1 (embedded server)",
        "server: https://wandb.acme.org (W&B server)",
    ]


def test_the_next_command_is_whole(capsys):
    """One line, however long, to be copied."""
    say_next("sweeper best " + "x" * 200)
    assert capsys.readouterr().out == f"next: sweeper best {'x' * 200}\n"


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
