"""Where words go: data on stdout, talk on stderr."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from json import dumps, loads
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.errors import MarkupError
from rich.highlighter import JSONHighlighter
from rich.segment import Segment
from rich.text import Text

from sweeper.errors import SweeperError
from sweeper.plain_text import escaped, plain
from sweeper.settings import Backend

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_BRACKET = "\ufdd0"
"""Stands for an opening bracket on its way through markup: no text of anybody has this code point (a noncharacter)."""


def escape(text: str) -> str:
    """Have a text of others stand in a line of ours with markup.

    rich's own function leaves alone what is no tag by itself, and two such texts in one line can make one.
    """
    return text.replace(_BRACKET, "").replace("[", _BRACKET)


class Terminal(Console):
    """A console that prints text of others as text: only a line of ours is markup, and nothing reaches the terminal.

    What is inside tables, groups and live views is never markup; what a terminal obeys is taken out of everything.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; a string is a line of ours, in which `escape` has made texts of others safe."""
        super().print(*map(_line, objects), **options)

    def print_json(self, json: str | None = None, **_: Any) -> None:
        """Print JSON for people and scripts: the latter find every character in it."""
        text = self._for_parsers(dumps(loads(json or "null"), indent=2, ensure_ascii=False))
        if self.file.isatty():  # `is_terminal` also holds for a pipe where FORCE_COLOR is set
            self.print(JSONHighlighter()(Text(text)), soft_wrap=True)
        else:
            self.file.write(text + "\n")

    def print_lines(self, first: str, rows: Iterable[str], last: str) -> None:
        """Print JSON whose parts are lines, as they come: laying ten thousand of them out would take seconds."""
        self.file.write(self._for_parsers(first) + "\n")
        separator = ""
        for row in rows:
            self.file.write(separator + self._for_parsers(row))
            separator = ",\n"
        self.file.write(f"\n{self._for_parsers(last)}\n")

    def _for_parsers(self, text: str) -> str:
        """Write JSON in the characters of the stream: what others a terminal is shown instead, no parser takes."""
        return escaped(text, to_ascii=not (self.encoding or "utf").startswith("utf"))

    def on_broken_pipe(self) -> None:
        """Leave it to the command line that a reader has seen enough: rich would end the process with 1."""
        self._buffer.clear()  # or what is printed next would come behind the same once more
        raise  # noqa: PLE0704 called where one is handled

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Lay out anything, the one way to the screen."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else plain(text.replace(_BRACKET, "[")), style, control)


def _line(printed: Any) -> Any:
    if not isinstance(printed, str):
        return printed
    try:
        return Text.from_markup(printed, emoji=False)
    except MarkupError:  # by a text that nobody has escaped
        return Text(printed)


# Printed with `soft_wrap`: addresses, paths and commands are there to be copied, so no line break of ours is in them.
out = Terminal()
err = Terminal(stderr=True)


def print_json(told: Any) -> None:
    """Print the document of `--json`: the one thing on stdout, with the keys that docs/json.md has."""
    out.print_json(json_text(told))
    out.file.flush()  # `serve` goes on, and whoever waits for its address reads a pipe


def json_text(told: Any) -> str:
    """Write a document, or a part of one, in one line of strict JSON: NaN and infinities are null."""
    try:
        return dumps(told, default=_in_json, ensure_ascii=False, allow_nan=False)
    except ValueError:  # one of many thousand: so the others need not be read once more
        lax = dumps(told, default=_in_json, ensure_ascii=False)
        return dumps(loads(lax, parse_constant=lambda _: None), ensure_ascii=False)


def _in_json(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def print_error(error: SweeperError) -> None:
    """Print the document that stands for an error under `--json`; stderr has its words for people."""
    print_json({"error": {"message": error.message, "hint": error.hint}})


def complain(error: SweeperError) -> None:
    """Print an error and what to do about it."""
    err.print(f"[red]error:[/] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        err.print(f"  [dim]{escape(error.hint)}[/]", soft_wrap=True)


def complain_at_length() -> None:
    """Print the traceback of the error that is being handled."""
    err.print(Text(traceback.format_exc()), soft_wrap=True)


def warn(what: str) -> None:
    """Print a warning, in one line."""
    err.print(f"[yellow]warning: {escape(what)}[/]", soft_wrap=True)


def say_backend(backend: Backend) -> None:
    """Say in one line which server is used."""
    elsewhere = "sweeper's server" if backend.own else "W&B server"
    what = (backend.job or "embedded server") if backend.kind == "local" else elsewhere
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

    columns = (TextColumn(what, markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # on stderr: stdout may be the table itself, on its way into a pipe
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield Bar(progress, progress.add_task("", total=total))
