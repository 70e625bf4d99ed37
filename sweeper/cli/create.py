"""`sweeper create` and `sweeper status`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from sweeper.cli.check import Trainer, say_faults
from sweeper.cli.options import BackendOption, Sweep
from sweeper.cli.output import out, say_backend, say_next, show
from sweeper.settings import Settings


def create(  # noqa: PLR0917 Typer passes them by name
    file: Annotated[Path, typer.Argument(help="The sweep file (YAML), in W&B's format.", show_default=False)],
    project: Annotated[str | None, typer.Option(help="The project; the file's or `sweeper` by default.")] = None,
    entity: Annotated[str | None, typer.Option(help="The user or team on a W&B server; the key's by default.")] = None,
    prior_run: Annotated[
        list[str] | None,
        typer.Option(help="Id of an earlier run of the project that the search starts from; again for more."),
    ] = None,
    trainer: Trainer = None,
    backend: BackendOption = "auto",
    ignore_extensions: Annotated[
        bool, typer.Option("--ignore-extensions", help="Leave out what is under `sweeper:` where W&B cannot honour it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a sweep file and register the sweep.

    Example: sweeper create sweeps/bayes.yaml
    """
    from sweeper.definition.check import check_file

    checked = check_file(file, trainer=trainer)
    definition = checked.sweep
    say_faults(checked)
    from sweeper.backend import choose, create

    settings = Settings.from_env()
    server = choose.open_backend(settings, backend)
    say_backend(server)
    created = create.create(
        definition,
        settings=settings,
        backend=server,
        entity=entity,
        project=project,
        prior_runs=prior_run or (),
        ignore_extensions=ignore_extensions,
    )
    if as_json:
        data = {"sweep": created.ref.path, "url": created.url, "expected_runs": created.expected_runs}
        out.print_json(json.dumps(data))
        return
    out.print(f"[bold]sweep[/]  {escape(created.ref.path)}", soft_wrap=True)
    out.print(f"[bold]page[/]   {escape(created.url)}", soft_wrap=True)
    expected = "until stopped" if created.expected_runs is None else created.expected_runs
    out.print(f"[bold]runs[/]   {expected}")
    say_next("sweeper launch" + (" --count 20" if created.expected_runs is None else ""))


def status(
    sweep: Sweep = None,
    backend: BackendOption = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Print it again every 5 s until the sweep ends.")
    ] = False,
    importance: Annotated[bool, typer.Option("--importance", help="Tell how much each parameter mattered.")] = False,
) -> None:
    """Show a sweep, its best run so far, and its runs.

    Example: sweeper status --watch
    """
    from sweeper.backend import choose
    from sweeper.cli.tables import status_view
    from sweeper.results.status_reader import StatusReader

    settings = Settings.from_env()
    server = choose.open_backend(settings, choose.follow_last(settings, backend, sweep))
    say_backend(server)
    reader = StatusReader(choose.resolve(settings, server, sweep), settings)
    while True:
        now = reader.read(weigh=importance)
        if as_json:
            out.print_json(json.dumps(asdict(now), default=str))
        else:
            show(status_view(now))
        if not watch or now.state.ended:
            return
        time.sleep(5)
