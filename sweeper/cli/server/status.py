"""`sweeper server status`: whether a background server runs."""

from __future__ import annotations

import typer

from sweeper.backend import embedded_server
from sweeper.cli.options import AsJson, Data, data_directory
from sweeper.cli.output import escape, out, print_json


def status(data: Data = None, as_json: AsJson = False) -> None:
    """Say whether a server runs on a data directory, by default the background server, and where it listens.

    Example: sweeper server status
    """
    folder = data_directory(data)
    record = embedded_server.find_in(folder)
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
