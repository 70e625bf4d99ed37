"""`sweeper server status`: whether a background server runs."""

from __future__ import annotations

import typer

from sweeper.backend import embedded_server
from sweeper.cli.output import escape, out
from sweeper.settings import Settings


def status() -> None:
    """Say whether the background server runs, and where.

    Example: sweeper server status
    """
    settings = Settings.from_env()
    record = embedded_server.find(settings.home)
    if record is None:
        out.print("no server is running; `sweeper create` starts one")
        raise typer.Exit(1)
    folder = embedded_server.data_dir(settings.home)
    out.print(f"[bold]server[/]  {record.url} (pid {record.pid})", soft_wrap=True)
    out.print(f"[bold]data[/]    {escape(str(folder))}", soft_wrap=True)
    out.print(f"[bold]key[/]     {escape(str(embedded_server.key_file(folder)))}", soft_wrap=True)
    out.print("[bold]pages[/]   `sweeper server url` prints an address that opens them in a browser", soft_wrap=True)
