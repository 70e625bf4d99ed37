"""`sweeper compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.cli.completion import complete_run
from sweeper.cli.options import AsJson, BackendOption, SweepOption
from sweeper.cli.output import out, print_json, show
from sweeper.cli.run_target import find_runs
from sweeper.errors import UsageError

MOST = 20
"""Runs side by side: `sweeper runs` and `export` are for more."""


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN",
            help="Two runs or more, by id or name, or ENTITY/PROJECT/RUN.",
            autocompletion=complete_run,
        ),
    ],
    sweep: SweepOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same in all of them.")] = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Compare runs: how their configs differ, what came of it, how long it took.

    Example: sweeper compare k3vbq1xz p0dm77aa
    """
    from sweeper.backend.run_facts import FactReader  # here for the reason in target.py
    from sweeper.cli.comparison_view import comparison_view
    from sweeper.results import comparison

    if len(runs) < 2:
        raise UsageError(f"{runs[0]} alone cannot be compared", f"name another run, or: sweeper show {runs[0]}")
    if len(runs) > MOST:
        fix = "name fewer; `sweeper runs --columns …` and `sweeper export` have a line for each of many"
        raise UsageError(f"{len(runs)} runs side by side are more than {MOST}", fix)
    found = find_runs(list(dict.fromkeys(runs)), sweep, backend)
    if len({(one.target.ref, one.run.id) for one in found}) < 2:
        raise UsageError(f"these are one run: {found[0].run.id}", "name another one")
    reader = FactReader(found[0].target.backend, found[0].target.settings)
    told = comparison.compare(
        [
            comparison.ComparedRun(one.target.ref, one.run, one.status, reader.facts(one.target.ref.run(one.run.id)))
            for one in found
        ]
    )
    if as_json:
        print_json(told.to_json())
        return
    show(comparison_view(told, width=out.width, everything=everything))
