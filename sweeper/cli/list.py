"""`sweeper list`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.options import AsJson, BackendOption, ProjectOption
from sweeper.cli.output import err, out, print_json, progress_bar, say_next, show

if TYPE_CHECKING:
    from sweeper.backend.sweep_lists import SweepList
    from sweeper.results.sweep_list import SweepLine


def list_(
    project: ProjectOption = None,
    limit: Annotated[int | None, typer.Option("--top", min=1, help="So many, at most.", show_default=False)] = None,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """List all sweeps: state, runs, best value; what was active last comes first.

    Example: sweeper list --project mnist
    """
    from sweeper.backend import sweep_lists  # here for the reason in target.py
    from sweeper.cli.target import find_server
    from sweeper.results.sweep_list import lines

    settings, server = find_server(backend)
    if server is None:  # there never was one, and this is no reason to start it
        found = sweep_lists.SweepList((), "", told=True)
    else:
        with progress_bar("reading sweeps") as bar:
            found = sweep_lists.read(server, settings, project, tell=lambda done: bar.reach(done, done))
    if project and not found.sweeps:
        everywhere = sweep_lists.read(server, settings, None).sweeps if server else ()
        entity, _, name = project.rpartition("/")
        raise sweep_lists.no_project(entity, name, sorted({one.ref.project for one in everywhere}))
    now = datetime.now(UTC)
    told = list(lines(found, settings, now=now))
    _print(told[:limit], len(told), found, now, as_json=as_json)


def _print(told: list[SweepLine], total: int, found: SweepList, now: datetime, *, as_json: bool) -> None:
    from sweeper.cli.sweep_table import sweep_table

    if as_json:
        print_json({"sweeps": [one.to_json() for one in told], "total": total})
        return
    if not told:
        out.print("no sweep yet")
        say_next("sweeper create sweeps/quickstart.yaml")
        return
    show(sweep_table(told, user=found.user, now=now, width=out.width))
    if more := total - len(told):
        out.print(f"[dim]… {more:,} more sweeps: sweeper list, or --json[/]", soft_wrap=True)
    if not found.told:
        err.print(
            "[dim]this server does not tell how many runs have ended, which run is best, and who works: "
            "sweeper status SWEEP[/]",
            soft_wrap=True,
        )
    say_next(f"sweeper status {told[0].sweep.ref.quoted}")
