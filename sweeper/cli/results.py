"""`sweeper export` and `sweeper sync`: results that leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from sweeper.cli.options import Sweep
from sweeper.cli.output import complain, err, out, say_backend, say_next
from sweeper.errors import BackendError
from sweeper.settings import BackendChoice, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweeper.sync import RunSync, SyncResult


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
    from sweeper import session
    from sweeper.sync import Sync

    settings = Settings.from_env()
    target = session.other_backend(settings, to)
    source = session.open_backend(settings, backend)
    say_backend(source)
    ref = session.resolve(settings, source, sweep)
    prepared = Sync.prepare(ref, source, target, settings, entity=entity, project=project)
    err.print(f"[dim]to: {escape(str(prepared.target))}[/]", soft_wrap=True)
    if dry_run:
        result = prepared.plan()
    else:
        with _progress(len(prepared.runs)) as tell:
            result = prepared.run(tell)
    _show_sync(result, as_json=as_json)
    if not result.ok:
        raise typer.Exit(1)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[RunSync], None]]:
    """Show a bar where somebody is looking, and what there is to say about runs in any case."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("sending runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total)

        def tell(run: RunSync) -> None:
            progress.advance(task)
            if run.error:
                complain(BackendError(f"run {run.run} was not sent: {run.error}"))
            elif run.outcome == "sent" and (run.notes or not err.is_terminal):
                err.print(escape(f"{run.run} sent" + "".join(f"; {note}" for note in run.notes)), soft_wrap=True)

        yield tell


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
