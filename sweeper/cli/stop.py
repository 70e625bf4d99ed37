"""`sweeper stop`: a sweep, or single runs of it."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.cli.completion import complete_run
from sweeper.cli.options import BackendOption, Sweep
from sweeper.cli.output import escape, out
from sweeper.cli.sweep_state import change_state
from sweeper.cli.target import find_target
from sweeper.run import RunState
from sweeper.settings import BackendChoice


def stop(
    sweep: Sweep = None,
    run: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Stop this run only, now; the sweep goes on.", autocompletion=complete_run),
    ] = None,
    backend: BackendOption = "auto",
) -> None:
    """End a sweep: its running runs finish, no new one starts.

    Example: sweeper stop
    """
    if run:
        _stop_runs(run, sweep, backend)
    else:
        change_state(find_target(sweep, backend), "stop", "stopped: running runs will finish")


def _stop_runs(names: list[str], sweep: str | None, choice: BackendChoice) -> None:
    from sweeper.backend import sdk  # here for the reason in target.py

    ref = find_target(sweep, choice).ref
    for name in names:
        state = sdk.stop_run(ref.run(name))
        ended = state in set(RunState) and RunState(state).ended
        what = f"has ended already: it is {state}" if ended else "is being stopped"
        out.print(f"run {escape(name)} {what}", soft_wrap=True)
