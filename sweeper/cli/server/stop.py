"""`sweeper server stop`: the background server, ended."""

from __future__ import annotations

from sweeper.backend import embedded_server
from sweeper.cli.output import out
from sweeper.settings import Settings


def stop() -> None:
    """Stop the background server; nothing is lost.

    Example: sweeper server stop
    """
    record = embedded_server.stop(Settings.from_env().home)
    out.print("no server was running" if record is None else f"stopped the server on {record.url} (pid {record.pid})")
