"""`sweeper retry`: runs that failed, handed out again."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.backend.disk_room import ROOM_FOR_ROWS
from sweeper.backend.said_why import say_why
from sweeper.cli.completion import complete_run
from sweeper.cli.options import AsJson, BackendOption, Reason, Sweep
from sweeper.cli.output import complain, escape, out, print_json, say_next
from sweeper.cli.target import find_target
from sweeper.errors import LaunchError, UsageError


def retry(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Ids of runs; all that failed if left out.", autocompletion=complete_run, show_default=False
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All runs that failed or crashed: the default.")] = False,
    reason: Reason = "",
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Hand failed runs out again, with their ids and checkpoints.

    Only sweeper's own server can do that: W&B's gives a run of a sweep out once.

    Example: sweeper retry && sweeper launch
    """
    from sweeper.launch.recovery import retry_runs  # here for the reason in target.py
    from sweeper.results.named_runs import find, of_other_sweep

    if failed and runs:
        raise UsageError("--failed and run ids exclude each other", "give one of them")
    say_why(reason)
    target = find_target(sweep, backend)
    target.check_room(ROOM_FOR_ROWS)
    reader = target.reader()
    known, elsewhere = reader.read().runs, of_other_sweep(target.ref, target.settings, target.backend)
    chosen = [find(name, known, target.ref, elsewhere).id for name in runs or ()]
    waiting, refused = retry_runs(reader.ref, known, chosen)
    for run, why in refused.items():
        complain(LaunchError(f"run {run} is not tried again: {why}"))
    if not waiting and not refused:
        raise LaunchError(f"nothing to retry: no run of {reader.ref} has failed", "see `sweeper status`")
    if as_json:
        print_json({"sweep": reader.ref.path, "waiting": waiting, "refused": refused})
    elif waiting:
        what = "1 run waits" if len(waiting) == 1 else f"{len(waiting)} runs wait"
        out.print(f"{what} for a slot: {escape(', '.join(waiting))}", soft_wrap=True)
        say_next(f"sweeper launch {reader.ref.quoted}")
    if refused:
        raise typer.Exit(1)
