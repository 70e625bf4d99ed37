"""`sweeper server status`: whether a background server runs."""

from __future__ import annotations

import typer

from sweeper.backend import embedded_server
from sweeper.cli.options import AsJson
from sweeper.cli.output import escape, out, print_json
from sweeper.settings import Settings


def status(as_json: AsJson = False) -> None:
    """Say whether the background server runs, and where.

    Example: sweeper server status
    """
    settings = Settings.from_env()
    record = embedded_server.find(settings.home)
    folder = embedded_server.data_dir(settings.home)
    key_file = embedded_server.key_file(folder)
    if as_json:
        found = {"url": record and record.url, "pid": record and record.pid}
        print_json({"running": record is not None, **found, "data": str(folder), "key_file": str(key_file)})
    elif record is None:
        out.print("no server is running; `sweeper create` starts one")
    else:
        out.print(f"[bold]server[/]  {record.url} (pid {record.pid})", soft_wrap=True)
        out.print(f"[bold]data[/]    {escape(str(folder))}", soft_wrap=True)
        out.print(f"[bold]key[/]     {escape(str(key_file))}", soft_wrap=True)
        out.print(
            "[bold]pages[/]   `sweeper server url` prints an address that opens them in a browser", soft_wrap=True
        )
    if record is None:
        raise typer.Exit(1)
