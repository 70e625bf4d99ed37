"""`sweeper export` and `sweeper sync`: results that leave."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from sweeper.cli.options import BackendOption, Sweep
from sweeper.cli.output import complain, err, out, say_backend, say_next
from sweeper.errors import BackendError
from sweeper.settings import BackendChoice, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweeper.results.sync import RunSync, SyncResult

Format = Literal["csv", "json", "parquet"]  # as in sweeper.export, which is not imported for `--help`


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
) -> None:
    """Write a sweep's runs as a table: parameters, metric, summary, times.

    Example: sweeper export --output runs.csv
    """
    from sweeper.backend import choose, run_reader
    from sweeper.backend.sweep_reader import SweepReader
    from sweeper.journal.directories import SweepDir
    from sweeper.results import export as tables

    form = tables.choose_format(form, output)
    tables.check_output(output, force=force)
    settings = Settings.from_env()
    server = choose.open_backend(settings, choose.follow_last(settings, backend, sweep))
    say_backend(server)
    ref = choose.resolve(settings, server, sweep)
    view = SweepReader(ref).read()
    runs = run_reader.Server(server, settings).runs(ref)
    if history:
        with _bar("reading histories", len(view.runs)) as advance:
            table = tables.history_table(runs, tell=advance)
    else:
        records = SweepDir.of(settings.home, ref).records()
        table = tables.run_table(view, runs, records, now=datetime.now(UTC))
    with table:
        tables.write(table, form, output, sys.stdout)
    if output is not None:
        err.print(f"[bold]wrote[/]  {escape(str(output))}", soft_wrap=True)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar where somebody is looking."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


def sync(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server to send to; by default that of WANDB_BASE_URL or `wandb login`."),
    ] = None,
    entity: Annotated[str | None, typer.Option(help="The user or team there; the key's by default.")] = None,
    project: Annotated[str | None, typer.Option(help="The project there; one of the same name by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    backend: Annotated[
        BackendChoice, typer.Option("--backend", help="Where the sweep is: `local` is the embedded server.")
    ] = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Send a sweep's ended runs to another W&B server, each once.

    They go by `wandb sync`, and are attached there to a new sweep of the same
    definition. A sync that was stopped goes on; a later one sends new runs.

    Example: sweeper sync --to https://api.wandb.ai
    """
    from sweeper.backend import choose
    from sweeper.results.sync import Sync

    settings = Settings.from_env()
    target = choose.other_backend(settings, to)
    source = choose.open_backend(settings, backend)
    say_backend(source)
    ref = choose.resolve(settings, source, sweep)
    prepared = Sync.prepare(ref, source, target, settings, entity=entity, project=project)
    err.print(f"[dim]to: {escape(str(prepared.target))}[/]", soft_wrap=True)
    if dry_run:
        result = prepared.plan()
    else:
        with _bar("sending runs", len(prepared.runs)) as advance:
            result = prepared.run(lambda run: _tell(run, advance))
    _show_sync(result, as_json=as_json)
    if not result.ok:
        raise typer.Exit(1)


def _tell(run: RunSync, advance: Callable[[], None]) -> None:
    """Say what there is to say about a run; where nobody sees the bar, that it was sent."""
    advance()
    if run.error:
        complain(BackendError(f"run {run.run} was not sent: {run.error}"))
    elif run.outcome == "sent" and (run.notes or not err.is_terminal):
        err.print(escape("; ".join([f"{run.run} sent", *run.notes])), soft_wrap=True)


def _show_sync(result: SyncResult, *, as_json: bool) -> None:
    if result.error:
        complain(BackendError(result.error, "the runs are there; the same command tries it again"))
    if as_json:
        out.print_json(json.dumps(asdict(result)))
        return
    counts = {run.outcome: sum(other.outcome == run.outcome for other in result.runs) for run in result.runs}
    told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    out.print(f"[bold]runs[/]   {told or 'none'}", soft_wrap=True)
    if result.sweep:
        out.print(f"[bold]sweep[/]  {escape(result.sweep)}", soft_wrap=True)
        out.print(f"[bold]page[/]   {escape(result.url)}", soft_wrap=True)
    if not result.ok or {"to be sent", "not ended"} & set(counts):
        say_next(f"sweeper sync {result.source}")
