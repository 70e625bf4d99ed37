"""`sweeper doctor`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from sweeper.cli.options import BackendOption
from sweeper.cli.output import err, out
from sweeper.settings import Settings

if TYPE_CHECKING:
    from sweeper.findings import Finding

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    backend: BackendOption = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at everything that a launch needs, and say what to do where it is missing.

    Changes nothing and starts nothing. Exits with 1 if a check fails; warnings alone are no failure.

    Example: sweeper doctor
    """
    from sweeper.doctor.probes import examine

    report(list(examine(Settings.from_env(), backend)), as_json=as_json)


def report(findings: list[Finding], *, as_json: bool) -> None:
    """Print findings, and exit with 1 if one of them is a failure."""
    if as_json:
        out.print_json(json.dumps([asdict(finding) for finding in findings]))
    else:
        out.print(_table(findings))
        _sum_up(findings)
    if any(finding.verdict == "fail" for finding in findings):
        raise typer.Exit(1)


def _table(findings: list[Finding]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        style = STYLES[finding.verdict]
        table.add_row(f"[{style}]{finding.verdict}[/]", finding.check, escape(finding.found))
        if finding.fix:
            table.add_row("", "", f"[dim]fix: {escape(finding.fix)}[/]")
    return table


def _sum_up(findings: list[Finding]) -> None:
    counts = Counter(finding.verdict.value for finding in findings)
    text = ", ".join(f"{counts[verdict]} {verdict}" for verdict in STYLES)
    err.print(f"{len(findings)} checks: {text}", style=next(STYLES[v] for v in ("fail", "warn", "ok") if counts[v]))
