"""`sweeper status`."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import out, show
from sweeper.cli.page_link import say_page_link
from sweeper.cli.target import find_target

WATCH_S = 5.0


def status(
    sweep: Sweep = None,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help=f"Print it again every {WATCH_S:g} s until the sweep ends.")
    ] = False,
    importance: Annotated[bool, typer.Option("--importance", help="Tell how much each parameter mattered.")] = False,
) -> None:
    """Show a sweep, its best run so far, and its runs.

    Example: sweeper status --watch
    """
    from sweeper.cli.tables import status_view  # tables know the status, and with it pydantic

    target = find_target(sweep, backend)
    reader = target.reader()
    while True:
        now = reader.read(weigh=importance)
        if as_json:
            out.print_json(json.dumps(now.to_json(), default=str))
        else:
            show(status_view(now))
        if not (as_json or watch):
            say_page_link(out, target.backend, target.settings, now.facts.url)
        if not watch or now.facts.state.ended:
            return
        time.sleep(WATCH_S)
