"""`sweeper export`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import err, escape, print_json, progress_bar, warn
from sweeper.cli.target import find_target

Format = Literal["csv", "json", "parquet"]  # as in results.table_files, which is not imported for `--help`


def export(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="By the name of the file, else CSV.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there, and not to stdout.")
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="A row for every logged step of every run.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Write a sweep's runs as a table: parameters, metric, summary, times.

    Example: sweeper export --output runs.csv
    """
    # here for the reason in target.py
    from sweeper.backend import any_sweeps, run_reader
    from sweeper.journal.directories import SweepDir
    from sweeper.results import export, table_files
    from sweeper.search.missing_metric import missing_metrics

    if as_json and output is None:
        form = form or "json"
    form = table_files.choose_format(form, output)  # before anything is read: reading may take minutes
    table_files.check_output(output, force=force)
    target = find_target(sweep, backend)
    view = any_sweeps.AnySweepReader(target.ref, target.settings, target.backend).read()
    if history:
        runs = run_reader.ServerRuns(target.backend, target.settings).of(target.ref)
        with progress_bar("reading histories", len(view.runs)) as bar:
            table = export.history_table(runs, tell=bar.advance)
    else:
        attempts = SweepDir.of(target.settings.home, target.ref).attempts()
        runs = any_sweeps.whole_runs(target.ref, target.settings, target.backend)
        table = export.run_table(view, runs, attempts, now=datetime.now(UTC))
    if not any(run.may_lead and (run.values or run.iterations) for run in view.runs):
        for missing in missing_metrics(view.outline, view.runs):
            warn(missing.message)
    with table:
        table_files.write(table, form, output, sys.stdout)
    if output is not None:
        err.print(f"[bold]wrote[/]  {escape(str(output))}", soft_wrap=True)
        if as_json:
            print_json({"sweep": target.ref.path, "file": str(output), "format": form, "history": history})
