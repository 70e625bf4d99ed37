"""`sweeper status`."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import out, show
from sweeper.cli.page_link import say_page_link
from sweeper.cli.target import find_target

if TYPE_CHECKING:
    from sweeper.results.status import SweepStatus

WATCH_S = 5.0
INDENTED = 50
"""So many runs are printed with a line for each of their values."""


def status(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help=f"Print it again every {WATCH_S:g} s until the sweep ends.")
    ] = False,
    every_run: Annotated[bool, typer.Option("--all", help="A row for every run, of a sweep with many.")] = False,
    importance: Annotated[bool, typer.Option("--importance", help="Tell how much each parameter mattered.")] = False,
) -> None:
    """Show a sweep, its best run so far, and its runs.

    Example: sweeper status --watch
    """
    from sweeper.cli.confirmation_view import show_confirmation
    from sweeper.cli.tables import status_view  # tables know the status, and with it pydantic

    target = find_target(sweep, backend)
    reader = target.reader()
    while True:
        now = replace(reader.read(weigh=importance), confirmation=reader.confirmation())
        if as_json:
            _print_json(now)
        else:
            show(status_view(now, every_run=every_run))
            show_confirmation(now.confirmation)
        if not (as_json or watch):
            say_page_link(out, target.backend, target.settings, now.facts.url)
        if not watch or now.facts.state.ended:
            return
        time.sleep(WATCH_S)


def _print_json(now: SweepStatus) -> None:
    """Print a status for scripts; of many runs each on a line of its own, one after the other."""
    if len(now.runs) <= INDENTED:
        out.print_json(json.dumps(now.to_json(), default=str))
        return
    head = json.dumps(now.summary_json(), default=str, ensure_ascii=False)
    lines = (json.dumps(run.to_json(), default=str, ensure_ascii=False) for run in now.runs)
    out.print_lines(head[:-1] + ', "runs": [', lines, "]}")
