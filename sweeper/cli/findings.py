"""Findings as a table or as JSON: what `sweeper doctor` and `sweeper server check` print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from sweeper.cli.output import err, out, print_json
from sweeper.findings import Finding, Verdict

STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}
"""How each verdict is shown, the mildest first."""


def report(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print findings, and exit with 1 if one of them is a failure."""
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        out.print(_table(findings))
        _sum_up(findings)
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise typer.Exit(1)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        style = STYLES[finding.verdict]
        table.add_row(Text(finding.verdict, style=style), finding.check, Text(finding.found))
        if finding.fix:
            table.add_row("", "", Text(f"fix: {finding.fix}", style="dim"))
    return table


def _sum_up(findings: Sequence[Finding]) -> None:
    counts = Counter(finding.verdict for finding in findings)
    text = ", ".join(f"{counts[verdict]} {verdict}" for verdict in STYLES)
    err.print(
        f"{len(findings)} checks: {text}",
        style=next(STYLES[verdict] for verdict in reversed(STYLES) if counts[verdict]),
    )
