"""`sweeper sync`: a sweep's runs, sent to another server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.key_file import read_key
from sweeper.cli.options import AsJson, Sweep
from sweeper.cli.output import complain, err, escape, out, print_json, progress_bar, say_next
from sweeper.cli.target import find_target
from sweeper.errors import BackendError
from sweeper.settings import BackendChoice, Settings

if TYPE_CHECKING:
    from sweeper.results.sync import RunSync, SyncResult


def sync(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server to send to; by default that of WANDB_BASE_URL or `wandb login`."),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with the key for it; `-` reads standard input.")
    ] = None,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Send key and data over plain HTTP to another machine.")
    ] = False,
    entity: Annotated[str | None, typer.Option(help="The user or team there; the key's by default.")] = None,
    project: Annotated[str | None, typer.Option(help="The project there; one of the same name by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    # not `auto`: with credentials for the other server that would be the target
    backend: Annotated[
        BackendChoice, typer.Option("--backend", help="Where the sweep is: `local` is the embedded server.")
    ] = "local",
    as_json: AsJson = False,
) -> None:
    """Send a sweep's ended runs to another W&B server, each once.

    They go by `wandb sync`, and are attached there to a new sweep of the same
    definition. A sync that was stopped goes on; a later one sends new runs.

    Example: sweeper sync --to https://api.wandb.ai
    """
    from sweeper.backend import choose  # here for the reason in target.py
    from sweeper.results.sync import Sync, plan_without_key

    settings = Settings.from_env()
    if dry_run and key_file is None and not choose.has_key(settings, to):
        here = find_target(sweep, backend)
        url = to or settings.base_url
        result = plan_without_key(here.ref, here.backend, settings, url=url, entity=entity, project=project)
        err.print(f"[dim]to: {escape(result.to)}, for which there is no key here yet[/]", soft_wrap=True)
        _show(result, as_json=as_json)
        return
    # first: without a key for it nothing needs to be started
    key = None if key_file is None else read_key(key_file)
    there = choose.other_backend(settings, to, key=key, insecure_http=insecure_http)
    here = find_target(sweep, backend)
    prepared = Sync.prepare(here.ref, here.backend, there, here.settings, entity=entity, project=project)
    err.print(f"[dim]to: {escape(str(prepared.destination))}[/]", soft_wrap=True)
    if dry_run:
        result = prepared.plan()
    else:
        with progress_bar("sending runs", len(prepared.runs)) as bar:
            result = prepared.run(lambda run: _tell(run, bar.advance))
    _show(result, as_json=as_json)
    if not result.ok:
        raise typer.Exit(1)


def _tell(run: RunSync, advance: Callable[[], None]) -> None:
    """Say what there is to say about a run; where nobody sees the bar, that it was sent."""
    advance()
    if run.error:
        complain(BackendError(f"run {run.run} was not sent: {run.error}"))
    elif run.outcome == "sent" and (run.notes or not err.is_terminal):
        err.print(escape("; ".join([f"{run.run} sent", *run.notes])), soft_wrap=True)


def _show(result: SyncResult, *, as_json: bool) -> None:
    if result.error:
        complain(BackendError(result.error, "the runs are there; the same command tries it again"))
    if as_json:
        print_json(asdict(result))
        return
    counts = {run.outcome: sum(other.outcome == run.outcome for other in result.runs) for run in result.runs}
    told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    out.print(f"[bold]runs[/]   {told or 'none'}", soft_wrap=True)
    if result.sweep:
        out.print(f"[bold]sweep[/]  {escape(result.sweep)}", soft_wrap=True)
        out.print(f"[bold]page[/]   {escape(result.url)}", soft_wrap=True)
    if not result.ok or {"to be sent", "not ended"} & set(counts):
        say_next(f"sweeper sync {quote(result.source)}")
