"""The table of `sweeper list`: a line for each sweep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sweeper.plain_text import plain
from sweeper.readable import number

if TYPE_CHECKING:
    from sweeper.results.sweep_list import SweepLine

_STYLES = {"running": "cyan", "finished": "green", "paused": "yellow", "idle": "yellow", "canceled": "red"}
GAP = 2


def sweep_table(told: Sequence[SweepLine], *, user: str, now: datetime, width: int) -> RenderableType:
    """Lay out sweeps, one line each.

    Args:
        told: The sweeps.
        user: Whose entity needs not be written.
        now: The time (aware).
        width: Columns of the terminal.
    """
    paths, counts = [_path(line, user) for line in told], [runs_of(line) for line in told]
    names, best = [line.sweep.name for line in told], [best_of(line) for line in told]
    # what is copied, and what is short, stands whole: names and metrics give way
    whole = {"sweep": _widest("sweep", paths), "state": 8, "runs": _widest("runs", counts), "active": 7}
    left = width - sum(whole.values()) - GAP * (len(whole) + any(names))
    called = min(_widest("name", names), max(8, left - GAP - 16)) if any(names) else 0
    whole |= {"name": called, "best": min(_widest("best", best), max(8, left - called))}
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold", expand=False)
    for heading in ("sweep", *(("name",) if any(names) else ()), "state", "runs", "best", "active"):
        right: Literal["left", "right"] = "right" if heading in {"runs", "active"} else "left"
        table.add_column(heading, justify=right, no_wrap=True, overflow="ellipsis", width=whole[heading])
    for line, path, count, value in zip(told, paths, counts, best, strict=True):
        state, active = (
            Text(line.state, style=_STYLES.get(line.state, "")),
            ago((now - line.sweep.active_at).total_seconds()),
        )
        called_ = [Text(line.sweep.name)] if any(names) else []
        table.add_row(Text(path), *called_, state, count, Text(value), active)
    return table


def _widest(heading: str, texts: Sequence[str]) -> int:
    return max(cell_len(plain(text)) for text in [heading, *texts])


def _path(line: SweepLine, user: str) -> str:
    """Write a sweep as it can be typed: without its entity where that is one's own."""
    ref = line.sweep.ref
    return f"{ref.project}/{ref.sweep_id}" if ref.entity == user else ref.path


def runs_of(line: SweepLine) -> str:
    """Write done/total: `4/20`; `7/?` of a sweep without an end; those made where nobody tells which have ended."""
    sweep = line.sweep
    done = f"{sweep.made} made" if sweep.done is None else str(sweep.done)
    return f"{done}/{'?' if sweep.total is None else sweep.total}"


def best_of(line: SweepLine) -> str:
    """Write the best value before the name of its metric: `0.981 val_accuracy`."""
    metrics = line.sweep.metrics
    if len(metrics) != 1:
        return f"{len(metrics)} metrics" if metrics else "-"
    if line.sweep.best is None:
        return "-"
    return f"{number(line.sweep.best)} {next(iter(metrics))}"


def ago(seconds: float) -> str:
    """Write how long something is ago, in one unit: `now`, `5m`, `3h`, `12d`."""
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60:.0f}m ago"
    return f"{seconds // 3600:.0f}h ago" if seconds < 48 * 3600 else f"{seconds // 86400:.0f}d ago"
