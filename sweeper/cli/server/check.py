"""`sweeper server check`: whether a server's data is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.cli.findings import report
from sweeper.cli.options import AsJson, Data, data_directory
from sweeper.cli.output import progress_bar


def check(
    data: Data = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every file too, and compare its MD5.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that a server's data is whole; the server may run or not.

    Changes nothing. Exits with 1 if a check fails; warnings alone are no failure.

    Example: sweeper server check --deep
    """
    # the server is imported by the few commands that work on its data
    from sweeper.server.admin import integrity

    with progress_bar("files") as bar:
        findings = list(integrity.examine(data_directory(data), deep=deep, progress=bar.reach))
    report(findings, as_json=as_json)
