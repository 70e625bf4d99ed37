"""The table of `sweeper runs`: one line a run, whatever the terminal's width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from sweeper.cli.run_rows import style_of, with_gap
from sweeper.plain_text import plain
from sweeper.readable import duration, number, parameters
from sweeper.results.labels import label, varying
from sweeper.results.run_filter import as_text

if TYPE_CHECKING:
    from sweeper.results.run_columns import RunColumn, RunColumns
    from sweeper.results.status import RunStatus

GAP = 2
LONGEST_PARAMETER = 18
"""Columns of a parameter that has one of its own."""


def default_table(known: RunColumns, shown: Sequence[RunStatus], *, width: int) -> RenderableType:
    """Lay out runs: id, the parameters that vary, values, state, time and slot.

    Each parameter has a column of its own where the terminal is wide enough, and else all of them share one.

    Args:
        known: What may be shown.
        shown: The runs.
        width: Columns of the terminal.
    """
    # of all runs: who looks at the five best still wants to see what they have in common
    names = varying(run.params for run in known.status.runs)
    first = _column("run", [run.id for run in shown])
    ends = _values(shown, tuple(known.status.facts.metrics))
    ends.append(_column("state", [*map(with_gap, shown)], styles=[*map(style_of, shown)]))
    ends.append(_column("time", [duration(run.duration_s) for run in shown], right=True))
    if any(run.slot for run in shown):
        ends.append(_column("slot", [run.slot or "-" for run in shown]))
    each = [
        _column(heading, [value_text(run.params.get(name)) for run in shown], most=LONGEST_PARAMETER)
        for name, heading in zip(names, _headings(names), strict=True)
    ]
    whole = [first, *each, *ends]
    if _width(whole) <= width:
        return _table(whole)
    left = max(12, width - _width([first, *ends]) - GAP)
    return _table([first, _column("parameters", [label(run.params, names) for run in shown], most=left), *ends])


def _headings(names: Sequence[str]) -> list[str]:
    """Name parameters without their groups, where that leaves each a name of its own."""
    short = [name.rpartition(".")[2] for name in names]
    return [heading if short.count(heading) == 1 else name for name, heading in zip(names, short, strict=True)]


def _values(shown: Sequence[RunStatus], metrics: Sequence[str]) -> list[_LaidOut]:
    if metrics:
        return [_column(name, [number(run.values.get(name)) for run in shown], right=True) for name in metrics]
    best = _column("best", [number(run.best) for run in shown], right=True)
    return [best, _column("last", [number(run.last) for run in shown], right=True)]


def chosen_table(shown: Sequence[RunStatus], columns: Sequence[RunColumn]) -> RenderableType:
    """Lay out the columns that somebody asked for; what does not fit goes beyond the edge, and is cut by nobody."""
    made = []
    for column in columns:
        values = [column.get(run) for run in shown]
        right = any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        made.append(_column(column.name, [cell_text(column.name, value) for value in values], right=right))
    return _table(made)


@dataclass(frozen=True, slots=True)
class _LaidOut:
    """A column laid out: its heading and one cell for each run, padded to one width.

    Attributes:
        heading: What stands above it.
        cells: The cells.
        styles: How each is drawn; empty for plainly.
        width: How wide they are.
    """

    heading: str
    cells: Sequence[str]
    styles: Sequence[str]
    width: int


def _column(
    heading: str, texts: Sequence[str], *, styles: Sequence[str] = (), right: bool = False, most: int = 10_000
) -> _LaidOut:
    one_line = [" ".join(plain(text).split("\n")) for text in (heading, *texts)]
    width = min(most, max(map(cell_len, one_line)))
    first, *rest = [_padded(text, width, right=right) for text in one_line]
    return _LaidOut(first, rest, styles, width)


def _padded(text: str, width: int, *, right: bool) -> str:
    """Bring a text to a width in columns of the terminal, in which some letters take two."""
    space = width - cell_len(text)
    if space < 0:
        return set_cell_size(f"{set_cell_size(text, width - 1)}…", width)
    return " " * space + text if right else text + " " * space


def _width(columns: Sequence[_LaidOut]) -> int:
    return sum(column.width + GAP for column in columns) - GAP


def _table(columns: Sequence[_LaidOut]) -> RenderableType:
    """Put columns side by side. Not as a table of rich's: that takes seconds to lay out ten thousand runs."""
    between = " " * GAP
    lines = [Text(between.join(column.heading for column in columns).rstrip(), style="bold")]
    for row, cells in enumerate(zip(*(column.cells for column in columns), strict=True)):
        line, at = Text(between.join(cells).rstrip()), 0
        for column in columns:
            if column.styles and column.styles[row]:
                line.stylize(column.styles[row], at, at + column.width)
            at += column.width + GAP
        lines.append(line)
    table = Text("\n").join(lines)
    table.no_wrap, table.overflow = True, "ignore"
    return Group(table)  # alone, rich would print it with options of its own


def value_text(value: Any) -> str:
    """Write the value of a parameter, as everywhere, without its name."""
    if isinstance(value, str):
        return value
    return "-" if value is None else parameters({"": value})[1:]


def cell_text(name: str, value: Any) -> str:
    """Write the value of a column that somebody asked for."""
    if value is None:
        return "-"
    if name == "duration_s":
        return duration(value)
    if isinstance(value, datetime):
        return as_text(value)
    return number(value) if isinstance(value, float) else as_text(value)
