"""`sweeper server restore`: a backup put into place."""

from __future__ import annotations

import time
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sweeper.backend import embedded_server
from sweeper.cli.options import AsJson, Data, data_directory
from sweeper.cli.output import escape, out, print_json, say_next


def restore(
    file: Annotated[Path, typer.Argument(help="What `sweeper server backup` wrote.")],
    data: Data = None,
    force: Annotated[bool, typer.Option("--force", help="Put aside what the data directory holds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into a data directory, after a check that it is whole.

    No server may run on it. With --force, what it held is moved into a folder in it.

    Example: sweeper server restore sweeper.tar.gz --data restored
    """
    # the server is imported by the few commands that work on its data
    from sweeper.server.admin.restore import restore as restore_backup

    folder = data_directory(data)
    with embedded_server.held(folder):  # a server that started meanwhile would write into what is replaced
        aside = restore_backup(file.absolute(), folder, now=time.time(), force=force)
    if as_json:
        print_json({"data": str(folder), "before": aside and str(aside)})
        return
    out.print(f"[bold]restored[/]  {escape(str(folder))}", soft_wrap=True)
    if aside:
        out.print(f"[bold]before[/]    {escape(str(aside))}", soft_wrap=True)
    say_next(f"sweeper serve --data {quote(str(folder))}" if data else "sweeper status")
