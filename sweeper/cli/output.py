"""Where words go: data on stdout, talk on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.markup import escape

from sweeper.errors import SweeperError
from sweeper.settings import Backend

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class _Out(Console):
    """stdout. JSON stays JSON there, also where the encoding lacks a letter."""

    def print_json(self, json: str | None = None, **options: Any) -> None:
        """Print JSON."""
        options.setdefault("ensure_ascii", not self.encoding.lower().startswith("utf"))
        super().print_json(json, **options)


# Printed with `soft_wrap`: addresses, paths and commands are there to be copied, so no line break of ours is in them.
out = _Out(highlight=False)
err = Console(stderr=True, highlight=False)


def complain(error: SweeperError) -> None:
    """Print an error and what to do about it."""
    err.print(f"[red]error:[/] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        err.print(f"  [dim]{escape(error.hint)}[/]", soft_wrap=True)


def warn(what: str) -> None:
    """Print a warning, in one line."""
    err.print(f"[yellow]warning: {escape(what)}[/]", soft_wrap=True)


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


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar that is on the screen."""

    _progress: Progress
    _task: TaskID

    def advance(self) -> None:
        """Go one step."""
        self._progress.advance(self._task)

    def reach(self, done: int, total: int) -> None:
        """Stand at `done` of `total`, which may have grown."""
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def progress_bar(what: str, total: int | None = None) -> Iterator[Bar]:
    """Show a bar on stderr while something is done, if that is a terminal; it goes away at the end.

    Args:
        what: What is counted.
        total: How many there will be; None as long as nobody knows.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # on stderr: stdout may be the table itself, on its way into a pipe
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield Bar(progress, progress.add_task("", total=total))
