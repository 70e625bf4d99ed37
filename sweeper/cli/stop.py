"""`sweeper stop`: a sweep, or single runs of it."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.backend.said_why import say_why
from sweeper.cli.completion import complete_run
from sweeper.cli.options import AsJson, BackendOption, Reason, Sweep
from sweeper.cli.output import escape, out, print_json
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
    reason: Reason = "",
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """End a sweep: its running runs finish, no new one starts.

    Example: sweeper stop
    """
    if run:
        say_why(reason)
        _stop_runs(run, sweep, backend, as_json=as_json)
    else:
        done = "stopped: running runs will finish"
        change_state(find_target(sweep, backend), "stop", done, reason=reason, as_json=as_json)


def _stop_runs(names: list[str], sweep: str | None, choice: BackendChoice, *, as_json: bool) -> None:
    # here for the reason in target.py
    from sweeper.backend import run_names, run_orders
    from sweeper.results.named_runs import find, of_other_sweep

    target = find_target(sweep, choice)
    ref = target.ref
    known = run_names.read(ref, target.settings, target.backend)
    elsewhere = of_other_sweep(ref, target.settings, target.backend)
    ids = [find(name, known, ref, elsewhere).id for name in names]  # all of them, before one is stopped
    told = []
    for name in ids:
        state = run_orders.stop(ref.run(name))
        ended = state in set(RunState) and RunState(state).ended
        told.append({"id": name, "state": state, "stopping": not ended})
        if as_json:
            continue
        what = f"has ended already: it is {state}" if ended else "is being stopped"
        out.print(f"run {escape(name)} {what}", soft_wrap=True)
    if as_json:
        print_json({"sweep": ref.path, "runs": told})
