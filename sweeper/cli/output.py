"""Where words go: data on stdout, talk on stderr."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.markup import escape

from sweeper.errors import SweeperError
from sweeper.settings import Backend

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def complain(error: SweeperError) -> None:
    """Print an error and what to do about it."""
    err.print(f"[red]error:[/] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        err.print(f"  [dim]{escape(error.hint)}[/]", soft_wrap=True)


def say_backend(backend: Backend) -> None:
    """Say in one line which server is used."""
    what = "embedded server" if backend.kind == "local" else "W&B server"
    err.print(f"[dim]server: {escape(backend.base_url)} ({what})[/]", soft_wrap=True)


def say_next(command: str) -> None:
    """Name the command that usually follows."""
    out.print(f"[dim]next:[/] {escape(command)}", soft_wrap=True)


def show(view: RenderableType) -> None:
    """Print a status; what is longer than the terminal's line is left for the terminal to wrap."""
    out.print(view, crop=False)
