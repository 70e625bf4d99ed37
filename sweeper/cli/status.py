"""`sweeper status`."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import out, show
from sweeper.cli.page_link import say_page_link
from sweeper.cli.target import find_target
from sweeper.cli.watch import WATCH_S, watching

if TYPE_CHECKING:
    from sweeper.results.status import SweepStatus
    from sweeper.results.status_reader import StatusReader

INDENTED = 50
"""So many runs are printed with a line for each of their values."""
CURVES = 50
"""Runs of which the curves are asked for, at least."""
BESIDE = 4
"""Lines of a terminal for what is printed beside a status: the server, the page's link, the next prompt."""


def status(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", "-w", help=f"Show it anew every {WATCH_S:g} s until the sweep ends or nobody works on it."
        ),
    ] = False,
    every_run: Annotated[bool, typer.Option("--all", help="A row for every run, of a sweep with many.")] = False,
    importance: Annotated[bool, typer.Option("--importance", help="Tell how much each parameter mattered.")] = False,
) -> None:
    """Show a sweep, its best run so far, and its runs.

    Example: sweeper status --watch
    """
    from sweeper.cli.tables import status_view  # tables know the status, and with it pydantic

    target = find_target(sweep, backend)
    reader, seen = target.reader(), sys.stdout.isatty()
    if watch:
        watching(partial(_read, reader, importance, as_json), _print_json if as_json else None, every_run=every_run)
        return
    now = _read(reader, importance, as_json)
    if as_json:
        _print_json(now)
        return
    height = out.height - BESIDE if seen else None
    show(status_view(now, width=out.width, height=height, every_run=every_run))
    say_page_link(out, target.backend, target.settings, now.facts.url)


def _read(reader: StatusReader, importance: bool, as_json: bool) -> SweepStatus:
    """Ask for a status with what is seen of it."""
    from sweeper.launch.slot_loads import with_loads

    return with_loads(reader.read(weigh=importance, curves=0 if as_json else max(CURVES, out.height)))


def _print_json(now: SweepStatus) -> None:
    """Print a status for scripts; of many runs each on a line of its own, one after the other."""
    if len(now.runs) <= INDENTED:
        out.print_json(json.dumps(now.to_json(), default=str))
        return
    head = json.dumps(now.summary_json(), default=str, ensure_ascii=False)
    lines = (json.dumps(run.to_json(), default=str, ensure_ascii=False) for run in now.runs)
    out.print_lines(head[:-1] + ', "runs": [', lines, "]}")
