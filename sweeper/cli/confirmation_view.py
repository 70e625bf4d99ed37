"""What other seeds have shown of a sweep's best configurations, as text for a terminal of 80 columns or more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sweeper.cli.output import show
from sweeper.readable import number
from sweeper.results.labels import label

if TYPE_CHECKING:
    from sweeper.search.confirmation import Confirmation

_STYLES = {"best": "bold green", "first": "green", "noise": "yellow", "worse": "red"}


def show_confirmation(found: Confirmation | None) -> None:
    """Print it below what else there is, if there is one."""
    if found is not None:
        show(Group(Text(), confirmation_view(found)))


def lines_of(found: Confirmation | None) -> int:
    """Say how many lines that takes."""
    return 0 if found is None else 4 + len(found.contenders) + len(found.findings)


def confirmation_view(found: Confirmation) -> RenderableType:
    """Lay out a row for each configuration, what the rows mean, and where the runs are."""
    runs = f"{found.ended} of {found.planned} runs"
    title = f"confirmed with other values of {found.seed_parameter}: {runs}"
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("configuration", overflow="fold", ratio=1)
    for heading in ("in sweep", "mean", "95% interval", "seeds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for place, one in enumerate(found.contenders, start=1):
        verdict = Text(one.words, style=_STYLES.get(one.verdict, ""))
        cells = [number(one.in_sweep), number(one.mean), one.interval, one.of_seeds]
        table.add_row(str(place), Text(label(one.params, found.varying)), *cells, verdict)
    lines = [Text(sentence) for sentence in found.findings]
    where = Text(f"runs: sweeper status {' or '.join(found.sweeps)}", style="dim")
    return Group(Text(title, style="bold"), table, *lines, where)
