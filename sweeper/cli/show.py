"""`sweeper show`."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.cli.completion import complete_run
from sweeper.cli.options import AsJson, BackendOption, SweepOption
from sweeper.cli.output import out, print_json, show
from sweeper.cli.page_link import say_page_link
from sweeper.cli.run_target import find_runs

POINTS = 400
"""Of a curve: a terminal is at most some hundred characters wide, with two dots in each."""


def show_run(  # noqa: PLR0917 Typer passes them by name
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run's id or name, or ENTITY/PROJECT/RUN.", autocompletion=complete_run),
    ],
    sweep: SweepOption = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", "-k", help="Draw this that it logged; the metric and some more if left out."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of its config, summary, files and curves.")] = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Show all about one run, and draw its curves.

    Example: sweeper show k3vbq1xz --key val_loss
    """
    from sweeper.backend.run_facts import FactReader  # here for the reason in target.py
    from sweeper.cli.run_view import run_view
    from sweeper.journal.directories import SweepDir
    from sweeper.results.one_run import gather

    (found,) = find_runs([run], sweep, backend)
    target, reader = found.target, FactReader(found.target.backend, found.target.settings)
    facts = gather(
        found.target.ref,
        found.run,
        found.status,
        reader=reader,
        directory=SweepDir.of(target.settings.home, found.target.ref),
        definition=found.definition,
        keys=key or (),
        everything=everything,
        points=POINTS,
    )
    if as_json:
        print_json(facts.to_json())
        return
    show(run_view(facts, width=out.width, everything=everything))
    say_page_link(out, target.backend, target.settings, facts.page)
