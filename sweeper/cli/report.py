"""`sweeper report`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import escape, out, print_json, progress_bar, say_next
from sweeper.cli.target import find_target

ReportFormat = Literal["html", "md"]  # as in results.report.writing, which is not imported for `--help`


def report(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write there; report-ID.html by default.", show_default=False
        ),
    ] = None,
    form: Annotated[
        ReportFormat | None,
        typer.Option("--format", help="By the name of the file, else html. md: tables, and figures as SVG files."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is no report.")] = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Write a sweep's results as one file that can be sent: best run, figures, failures, leaderboard.

    Example: sweeper report --output report.html
    """
    from sweeper.results.report import writing  # here for the reason in target.py

    target = find_target(sweep, backend)
    file, chosen = writing.choose_output(output, form, target.ref.sweep_id)
    writing.check_output(file, force=force)  # before anything is read: of many runs that takes seconds
    from sweeper.results.report.assembly import assemble
    from sweeper.results.report.reading import read_sweep

    with progress_bar("reading, weighing, drawing", 3) as bar:
        read = read_sweep(target.ref, target.settings, target.backend)
        bar.advance()
        found = assemble(read)
        bar.advance()
        written = writing.write_report(found, file, chosen)
    if as_json:
        print_json({"sweep": target.ref.path, "runs": len(found.runs), **asdict(written)})
        return
    size = f"{written.bytes / 1000:,.0f} kB, {len(found.runs)} run{'' if len(found.runs) == 1 else 's'}"
    out.print(f"[bold]wrote[/]  {escape(written.file)} ({size})", soft_wrap=True)
    if written.figures:
        folder = Path(written.figures[0]).parent
        out.print(f"[bold]wrote[/]  {escape(str(folder))}: {len(written.figures)} figures", soft_wrap=True)
    if not found.runs:
        say_next(target.command("launch"))
