"""`sweeper best`."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.completion import complete_run
from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import escape, out, print_json, say_next, show, warn
from sweeper.cli.target import find_target

if TYPE_CHECKING:
    from sweeper.results.best import Best, Download
    from sweeper.results.status import SweepStatus


def best(
    sweep: Sweep = None,
    download: Annotated[
        Path | None,
        typer.Option("--download", metavar="DIR", help="Write its config, metrics and model there; check the model."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="ID", help="Another run instead, such as one of the front.", autocompletion=complete_run
        ),
    ] = None,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Show the best run, by the best value of the metric that it ever logged.

    Of a sweep with several metrics, the front: the runs that no other one beats in all of them.

    Example: sweeper best --download model
    """
    from sweeper.backend import any_sweeps, run_files  # here for the reason in target.py
    from sweeper.results import best as results
    from sweeper.results import named_runs

    if download is not None:
        results.check_folder(download)  # before the server is asked: a full disk is known by then
    target = find_target(sweep, backend)
    reader = target.reader()
    status = reader.read()
    if status.facts.metrics and run is None and download is None:
        _show_front(status, as_json=as_json)
        return
    read = partial(any_sweeps.read_run, settings=target.settings, backend=target.backend)
    if run is not None:
        elsewhere = named_runs.of_other_sweep(target.ref, target.settings, target.backend)
        run = named_runs.find(run, status.runs, target.ref, elsewhere).id
    found = results.find_best(status, reader.ref, run=run, read=read)
    fetch = partial(run_files.download, settings=target.settings, backend=target.backend)
    fetched = None if download is None else results.download_best(found, reader.ref, download, fetch=fetch)
    if as_json:
        print_json({**asdict(found), "download": fetched and asdict(fetched)})
        return
    _show(found)
    if fetched is None:
        say_next(f"sweeper best {quote(found.sweep)} --download DIR")
    else:
        _show_files(fetched)


def _show_front(status: SweepStatus, *, as_json: bool) -> None:
    from sweeper.cli.tables import front_table

    for missing in status.missing_metrics:
        warn(missing.message)
    if as_json:
        told = status.to_json()
        print_json({key: told[key] for key in ("sweep", "metrics", "front")})
    else:
        show(front_table(status))
    front = status.standing.front
    if not front:  # as where one metric has no best run yet
        raise typer.Exit(1)
    if not as_json:
        say_next(f"sweeper best {quote(status.facts.sweep)} --run {front[0].id} --download DIR")


def _show(found: Best) -> None:
    from sweeper.readable import number, parameters

    out.print(f"[bold]sweep[/]   {escape(found.sweep)}", soft_wrap=True)
    out.print(f"[bold]run[/]     {escape(found.name)} ({escape(found.run)}, {found.state})", soft_wrap=True)
    if found.metric:
        out.print(f"[bold]best[/]    {escape(found.metric)} {number(found.value)}", soft_wrap=True)
    for name, value in found.values.items():
        out.print(f"[bold]last[/]    {escape(name)} {number(value)}", soft_wrap=True)
    if found.last != found.value:  # a run may have been better once than at its end
        out.print(f"[bold]last[/]    {escape(found.metric)} {number(found.last)}", soft_wrap=True)
    out.print(f"[bold]params[/]  {escape(parameters(found.params))}", soft_wrap=True)


def _show_files(fetched: Download) -> None:
    out.print(f"[bold]wrote[/]   {escape(fetched.config)}", soft_wrap=True)
    out.print(f"[bold]wrote[/]   {escape(fetched.metrics)}", soft_wrap=True)
    for model in fetched.models:
        inputs = ", ".join(f"{name} ({', '.join(map(str, shape))})" for name, shape in model.inputs.items())
        checked = f"checked: opset {model.opset}, input {inputs}, runs"
        out.print(f"[bold]wrote[/]   {escape(model.path)}", soft_wrap=True)
        out.print(
            f"        {escape(f'not checked: {model.unchecked}' if model.unchecked else checked)}", soft_wrap=True
        )
