"""`sweeper server url`: an address that logs a browser in."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.backend import embedded_server
from sweeper.cli.options import AsJson, Data, data_directory
from sweeper.cli.output import print_json


def url(
    page: Annotated[str, typer.Argument(help="The page to open, as `create` and `status` print it.")] = "/",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Print an address that logs a browser in: once, and within ten minutes.

    Example: sweeper server url
    """
    address = embedded_server.login_address(data_directory(data), page)
    if as_json:
        print_json({"url": address})
    else:
        typer.echo(address)  # alone on its line: `xdg-open $(sweeper server url)`
