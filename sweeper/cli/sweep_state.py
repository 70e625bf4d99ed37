"""`sweeper stop`, `pause`, `resume` and `cancel`: a sweep's state, changed by the SDK's own command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from sweeper.cli.options import BackendOption, Sweep
from sweeper.cli.output import out, say_backend, say_next
from sweeper.settings import BackendChoice, Settings

if TYPE_CHECKING:
    from sweeper.backend.sdk import Verb
    from sweeper.ref import SweepRef


def stop(
    sweep: Sweep = None,
    run: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Stop this run only, now; the sweep goes on.")
    ] = None,
    backend: BackendOption = "auto",
) -> None:
    """End a sweep: its running runs finish, no new one starts.

    Example: sweeper stop
    """
    if run:
        _stop_runs(run, sweep, backend)
    else:
        _set_state("stop", "stopped: running runs will finish", sweep, backend)


def pause(sweep: Sweep = None, backend: BackendOption = "auto") -> None:
    """Start no new runs until `sweeper resume`; workers wait.

    Example: sweeper pause
    """
    _set_state("pause", "paused", sweep, backend)
    say_next("sweeper resume")


def resume(sweep: Sweep = None, backend: BackendOption = "auto") -> None:
    """Go on with a paused or ended sweep.

    Example: sweeper resume
    """
    _set_state("resume", "running", sweep, backend)
    say_next("sweeper launch")


def cancel(sweep: Sweep = None, backend: BackendOption = "auto") -> None:
    """End a sweep and kill its running runs.

    Example: sweeper cancel
    """
    _set_state("cancel", "canceled: running runs are being killed", sweep, backend)


def _stop_runs(names: list[str], sweep: str | None, choice: BackendChoice) -> None:
    from sweeper.backend import sdk

    ref = _resolve(sweep, choice)
    for name in names:
        sdk.stop_run(ref.run(name))
        out.print(f"run {escape(name)} is being stopped", soft_wrap=True)


def _set_state(verb: Verb, done: str, sweep: str | None, choice: BackendChoice) -> None:
    from sweeper.backend import sdk

    ref = _resolve(sweep, choice)
    sdk.set_state(ref, verb)
    out.print(f"sweep {escape(ref.path)} is {done}", soft_wrap=True)


def _resolve(sweep: str | None, choice: BackendChoice) -> SweepRef:
    from sweeper.backend import choose

    settings = Settings.from_env()
    server = choose.open_backend(settings, choose.follow_last(settings, choice, sweep))
    say_backend(server)
    return choose.resolve(settings, server, sweep)
