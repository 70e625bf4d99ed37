"""`sweeper create`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.check import Trainer, say_faults
from sweeper.cli.launch_options import Python
from sweeper.cli.options import AsJson, BackendOption
from sweeper.cli.output import complain, err, escape, out, print_json, say_next
from sweeper.cli.page_link import say_page_link
from sweeper.cli.target import open_server
from sweeper.errors import SweeperError
from sweeper.settings import Settings

if TYPE_CHECKING:
    from sweeper.backend.create import Created


def create(  # noqa: PLR0917 Typer passes them by name
    file: Annotated[Path, typer.Argument(help="The sweep file (YAML), in W&B's format.", show_default=False)],
    project: Annotated[str | None, typer.Option(help="The project; the file's or `sweeper` by default.")] = None,
    entity: Annotated[str | None, typer.Option(help="The user or team on a W&B server; the key's by default.")] = None,
    prior_run: Annotated[
        list[str] | None,
        typer.Option(help="Id of an earlier run of the project that the search starts from; again for more."),
    ] = None,
    trainer: Trainer = None,
    python: Python = None,
    backend: BackendOption = "auto",
    ignore_extensions: Annotated[
        bool, typer.Option("--ignore-extensions", help="Leave out what is under `sweeper:` where W&B cannot honour it.")
    ] = False,
    elsewhere: Annotated[
        bool, typer.Option("--elsewhere", help="The trainer lies on another machine: do not look for it here.")
    ] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Make a new project that you alone see; sweeper's own servers have them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a sweep file and its trainer, and register the sweep.

    A function is imported, in a process of its own; a script is read, and not run.

    Example: sweeper create sweeps/bayes.yaml
    """
    from sweeper.definition import interpreter
    from sweeper.definition.check import Look, check_file

    settings = Settings.from_env()
    look = None if elsewhere else Look(file.parent, interpreter.chosen(python, settings.environ), imports=True)
    checked = check_file(file, trainer=None if elsewhere else trainer, look=look)
    definition = checked.sweep
    say_faults(checked)  # only warnings are left: a fault has ended it by now
    if not elsewhere:
        err.print(f"trainer: {escape(str(checked.choice))}", soft_wrap=True)
    from sweeper.backend import create  # after the file's faults, which cost no import of wandb

    server = open_server(settings, backend)
    created = create.create(
        definition,
        settings=settings,
        backend=server,
        entity=entity,
        project=project,
        prior_runs=prior_run or (),
        ignore_extensions=ignore_extensions,
        private=private,
    )
    _show(created, as_json=as_json, options=(f" --trainer {trainer}" if trainer else "") + interpreter.option(python))
    if not as_json:
        say_page_link(out, server, settings, created.url)
    if created.trouble:
        fix = f"the sweep is there all the same; name it: sweeper launch {created.ref.quoted}"
        complain(SweeperError(f"it is not noted as the sweep created last: {created.trouble}", fix))
        raise typer.Exit(1)


def _show(created: Created, *, as_json: bool, options: str = "") -> None:
    if as_json:
        print_json({"sweep": created.ref.path, "url": created.url, "expected_runs": created.expected_runs})
        return
    out.print(f"[bold]sweep[/]  {escape(created.ref.path)}", soft_wrap=True)
    out.print(f"[bold]page[/]   {escape(created.url)}", soft_wrap=True)
    expected = "until stopped" if created.expected_runs is None else created.expected_runs
    out.print(f"[bold]runs[/]   {expected}")
    say_next(f"sweeper launch{options}" + (" --count 20" if created.expected_runs is None else ""))
