"""`sweeper server url`: an address that logs a browser in."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.backend import embedded_server
from sweeper.cli.options import Data, data_directory


def url(
    page: Annotated[str, typer.Argument(help="The page to open, as `create` and `status` print it.")] = "/",
    data: Data = None,
) -> None:
    """Print an address that logs a browser in: once, and within ten minutes.

    Example: sweeper server url
    """
    # alone on its line: `xdg-open $(sweeper server url)`
    typer.echo(embedded_server.login_address(data_directory(data), page))
