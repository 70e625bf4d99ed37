"""Runs side by side: a column each where the terminal is wide enough, else a block for each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sweeper.readable import duration, number, parameters
from sweeper.run import best_value
from sweeper.side_by_side import MISSING

if TYPE_CHECKING:
    from sweeper.results.comparison import ComparedRun, Comparison
    from sweeper.side_by_side import ComparedRow

GAP = 2
LEAST = 12
"""Columns of a run in which a value can still be read."""
LONGEST_NAME = 28


def comparison_view(told: Comparison, *, width: int, everything: bool = False) -> RenderableType:
    """Lay out a comparison.

    Args:
        told: The comparison.
        width: Columns of the terminal.
        everything: Whether to show what is the same in all runs.
    """
    differing = [row for row in told.config if not row.same]
    same = [row for row in told.config if row.same]
    parts = [("config", [*differing, *same] if everything else differing), ("results", told.results), ("", told.course)]
    shown = [(title, list(rows)) for title, rows in parts if rows]
    heads = _heads(told.runs)
    first = min(LONGEST_NAME, max([len(row.name) for _, rows in shown for row in rows] + [len("results")]))
    most = (width - first) // len(told.runs) - GAP
    view: list[RenderableType] = []
    if most >= max([LEAST, *(len(head) for head in heads)]):
        view.append(_table(shown, heads, told, first, most))
    else:
        view += _blocks(shown, heads, told)
    return Group(*view, *_note(differing, same, everything=everything))


def _heads(runs: Sequence[ComparedRun]) -> list[str]:
    """Name the runs: by their ids, with their projects where these are not all of one sweep."""
    one_place = len({run.sweep for run in runs}) == 1
    return [run.run.id if one_place else f"{run.sweep.project}/{run.run.id}" for run in runs]


def _note(differing: Sequence[ComparedRow], same: Sequence[ComparedRow], *, everything: bool) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if not differing:
        lines.append(Text("their configs are the same", style="yellow"))
    if same and not everything:
        names = "1 value of the config is" if len(same) == 1 else f"{len(same)} values of the config are"
        lines.append(Text(f"{names} the same: --all", style="dim"))
    return lines


def _cells(row: ComparedRow, told: Comparison) -> list[Text]:
    """Write a row's values; the best of a metric stands out."""
    best = _best(row, told)
    styles = ("bold green" if best is not None and value == best else "" for value in row.values)
    return [Text(_text(row.name, value), style) for value, style in zip(row.values, styles, strict=True)]


def _best(row: ComparedRow, told: Comparison) -> Any:
    goals = {f"best {run.status.facts.metric}": run.status.facts.goal for run in told.runs}
    for run in told.runs:
        goals |= dict(run.status.facts.metrics)
    leading = [one.run.id for one in told.runs if one.run.may_lead]
    pairs = zip(told.runs, row.values, strict=True)
    values = [value for one, value in pairs if one.run.id in leading and isinstance(value, int | float)]
    if row.name not in goals or len(values) < 2 or row.same:
        return None
    return best_value(goals[row.name], values)


def _text(name: str, value: Any) -> str:
    if value is MISSING:
        return "-"
    if name == "duration_s":
        return duration(value)
    if isinstance(value, str):
        return value
    return number(value) if isinstance(value, float) else parameters({"": value})[1:]


def _title(name: str) -> str:
    return "duration" if name == "duration_s" else name


def _table(
    shown: Sequence[tuple[str, Sequence[ComparedRow]]], heads: Sequence[str], told: Comparison, first: int, most: int
) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold", expand=False)
    table.add_column("config" if shown[0][0] == "config" else "", overflow="fold", max_width=first)
    for head in heads:
        table.add_column(Text(head), overflow="fold", max_width=most)
    for at, (title, rows) in enumerate(shown):
        if at:
            table.add_row(Text(title, style="bold"))
        for row in rows:
            table.add_row(Text(_title(row.name), style="dim" if row.same else ""), *_cells(row, told))
    return table


def _blocks(
    shown: Sequence[tuple[str, Sequence[ComparedRow]]], heads: Sequence[str], told: Comparison
) -> list[RenderableType]:
    """Write a block for each value, with a line for each run."""
    longest = max(map(len, heads))
    lines: list[RenderableType] = []
    for _, rows in shown:
        for row in rows:
            cells = _cells(row, told)
            if row.same:
                lines.append(Text.assemble((_title(row.name), "bold"), "  ", cells[0], ("  in all", "dim")))
                continue
            lines.append(Text(_title(row.name), style="bold"))
            lines += [
                Text.assemble(f"  {head:{longest}}  ", cell, overflow="fold")
                for head, cell in zip(heads, cells, strict=True)
            ]
    return lines
