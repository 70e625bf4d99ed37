"""An address that opens a page at once, for a person at a terminal of the server's own machine."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.markup import escape

from sweeper.backend import embedded_server
from sweeper.errors import SweeperError
from sweeper.settings import Backend, Settings


def say_page_link(console: Console, backend: Backend, settings: Settings, page: str) -> None:
    """Print an address that logs a browser in, once, and shows a page; nothing where that could reach a file or a log.

    Args:
        console: Where to.
        backend: The server; only the embedded one makes such addresses.
        settings: The user's environment.
        page: The address of the page.
    """
    # the stream itself: rich also takes a pipe for a terminal, where FORCE_COLOR is set
    if backend.kind != "local" or not (sys.stderr if console.stderr else sys.stdout).isatty():
        return
    try:
        link = embedded_server.login_address(embedded_server.data_dir(settings.home), page)
    except SweeperError:  # a full disk, say; `sweeper server url` tells, and the page's own address stands above
        return
    console.print(f"[bold]open[/]    {escape(link)}", soft_wrap=True)
    console.print("[dim]        logs your browser in, once, within ten minutes; then: sweeper server url[/]")
