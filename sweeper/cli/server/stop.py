"""`sweeper server stop`: the background server, ended."""

from __future__ import annotations

from sweeper.backend import embedded_server
from sweeper.cli.options import AsJson
from sweeper.cli.output import out, print_json
from sweeper.settings import Settings


def stop(as_json: AsJson = False) -> None:
    """Stop the background server; nothing is lost.

    Example: sweeper server stop
    """
    record = embedded_server.stop(Settings.from_env().home)
    if as_json:
        print_json({"stopped": record is not None, "url": record and record.url, "pid": record and record.pid})
        return
    out.print("no server was running" if record is None else f"stopped the server on {record.url} (pid {record.pid})")
