"""`sweeper status`."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import escape, json_text, out, print_json, show
from sweeper.cli.page_link import say_page_link
from sweeper.cli.target import Target, find_target
from sweeper.cli.watch import WATCH_S, watching

if TYPE_CHECKING:
    from sweeper.results.status import SweepStatus
    from sweeper.results.status_reader import StatusReader

INDENTED = 50
"""So many runs are printed with a line for each of their values."""
CURVES = 50
"""Runs of which the curves are asked for, at least."""
BESIDE = 5
"""Lines of a terminal for what is printed beside a status: the server, the page's link (three), the next prompt."""
LEAST = 16
"""Lines of a status, however much stands below it: the sweep and some of its runs."""


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
    from sweeper.cli.confirmation_view import lines_of, show_confirmation
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
    room = max(LEAST, out.height - BESIDE - lines_of(now.confirmation))
    show(status_view(now, width=out.width, height=room if seen else None, every_run=every_run))
    _say_who_waits(target)
    show_confirmation(now.confirmation)
    say_page_link(out, target.backend, target.settings, now.facts.url)


def _say_who_waits(target: Target) -> None:
    """Say which workers of launches on Slurm wait in its queue, and why."""
    from sweeper.journal.directories import SweepDir
    from sweeper.launch.slurm.waiting import notes

    for note in notes(SweepDir.of(target.settings.home, target.ref)):
        out.print(f"[yellow]{escape(note)}[/]", soft_wrap=True)


def _read(reader: StatusReader, importance: bool, as_json: bool) -> SweepStatus:
    """Ask for a status with what is seen of it."""
    now = reader.read(weigh=importance, curves=0 if as_json else max(CURVES, out.height))
    now = replace(now, confirmation=reader.confirmation())
    if not now.slots:
        return now
    from sweeper.launch.slot_loads import with_loads  # with NVML, which takes longer to import than it is of use here

    return with_loads(now)


def _print_json(now: SweepStatus) -> None:
    """Print a status for scripts; of many runs each on a line of its own, one after the other."""
    if len(now.runs) <= INDENTED:
        print_json(now.to_json())
        return
    lines = (json_text(run.to_json()) for run in now.runs)
    out.print_lines(json_text(now.summary_json())[:-1] + ', "runs": [', lines, "]}")
