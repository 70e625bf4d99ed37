"""`sweeper retry` and `sweeper logs`: runs, handed out again and read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from sweeper.cli.options import BackendOption
from sweeper.cli.output import complain, out, say_backend, say_next
from sweeper.errors import LaunchError
from sweeper.settings import BackendChoice, Settings

if TYPE_CHECKING:
    from sweeper.results.status_reader import StatusReader


def retry(
    sweep: Annotated[
        str | None,
        typer.Argument(
            help="ID, PROJECT/ID or ENTITY/PROJECT/ID; the sweep created last if left out.", show_default=False
        ),
    ] = None,
    runs: Annotated[
        list[str] | None, typer.Argument(help="Ids of runs; all that failed if left out.", show_default=False)
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All runs that failed or crashed: the default.")] = False,
    backend: BackendOption = "auto",
) -> None:
    """Hand failed runs out again, with their ids and checkpoints.

    Only sweeper's own server can do that: W&B's gives a run of a sweep out once.

    Example: sweeper retry && sweeper launch
    """
    from sweeper.launch.recovery import retry_runs

    if failed and runs:
        raise LaunchError("--failed and run ids exclude each other", "give one of them")
    reader = _reader(sweep, backend)
    waiting, refused = retry_runs(reader.ref, reader.read().runs, runs or ())
    for run, why in refused.items():
        complain(LaunchError(f"run {run} is not tried again: {why}"))
    if not waiting and not refused:
        raise LaunchError(f"nothing to retry: no run of {reader.ref} has failed", "see `sweeper status`")
    if waiting:
        what = "1 run waits" if len(waiting) == 1 else f"{len(waiting)} runs wait"
        out.print(f"{what} for a slot: {escape(', '.join(waiting))}", soft_wrap=True)
        say_next(f"sweeper launch {reader.ref}")
    if refused:
        raise typer.Exit(1)


def logs(
    name: Annotated[str, typer.Argument(metavar="RUN|SLOT", help="A run's id, or a slot such as gpu0.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
) -> None:
    """Print what a run of this machine printed: its newest attempt, or the newest run of a slot.

    Example: sweeper logs -f gpu0
    """
    from sweeper.launch.background import find_log, read_log

    log, goes_on = find_log(Settings.from_env().home, name)
    for text in read_log(log, goes_on, follow=follow):
        sys.stdout.write(text)
        sys.stdout.flush()


def _reader(sweep: str | None, choice: BackendChoice) -> StatusReader:
    from sweeper.backend import choose
    from sweeper.results.status_reader import StatusReader

    settings = Settings.from_env()
    server = choose.open_backend(settings, choose.follow_last(settings, choice, sweep))
    say_backend(server)
    return StatusReader(choose.resolve(settings, server, sweep), settings)
