"""The table of `sweeper runs`: one line a run, whatever the terminal's width."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sweeper.readable import duration, number, parameters
from sweeper.results.labels import label, varying
from sweeper.results.run_filter import as_text
from sweeper.run import RunState

if TYPE_CHECKING:
    from sweeper.results.run_columns import RunColumn, RunColumns
    from sweeper.results.status import RunStatus

_STYLES = {
    RunState.FINISHED: "green",
    RunState.RUNNING: "cyan",
    RunState.FAILED: "red",
    RunState.CRASHED: "red",
    RunState.KILLED: "yellow",
}
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
    facts = known.status.facts
    fixed = [("run", [Text(run.id) for run in shown], "left")]
    ends = _values(shown, tuple(facts.metrics))
    ends.append(("state", [Text(run.state.value, style=_STYLES.get(run.state, "")) for run in shown], "left"))
    ends.append(("time", [Text(duration(run.duration_s)) for run in shown], "right"))
    if any(run.slot for run in shown):
        ends.append(("slot", [Text(run.slot or "-") for run in shown], "left"))
    each = [
        (name.rpartition(".")[2], [Text(value_text(run.params.get(name))) for run in shown], "left") for name in names
    ]
    whole = [*fixed, *each, *ends]
    if sum(min(_widest(column), LONGEST_PARAMETER) + GAP for column in whole) - GAP <= width:
        return _table(whole, rigid=True)
    together = ("parameters", [Text(label(run.params, names)) for run in shown], "left")
    return _table([*fixed, together, *ends], shrinks="parameters", width=width)


def _values(shown: Sequence[RunStatus], metrics: Sequence[str]) -> list[tuple[str, list[Text], str]]:
    if metrics:
        return [(name, [Text(number(run.values.get(name))) for run in shown], "right") for name in metrics]
    best = ("best", [Text(number(run.best)) for run in shown], "right")
    return [best, ("last", [Text(number(run.last)) for run in shown], "right")]


def chosen_table(shown: Sequence[RunStatus], columns: Sequence[RunColumn]) -> RenderableType:
    """Lay out the columns that somebody asked for; what does not fit goes beyond the edge, and is cut by nobody."""
    made = [
        (column.name, [Text(cell_text(column.name, column.get(run))) for run in shown], _side(column, shown))
        for column in columns
    ]
    return _table(made, rigid=True)


def _side(column: RunColumn, shown: Sequence[RunStatus]) -> str:
    values = [column.get(run) for run in shown]
    return (
        "right" if any(isinstance(value, int | float) and not isinstance(value, bool) for value in values) else "left"
    )


def _widest(column: tuple[str, Sequence[Text], str]) -> int:
    heading, values, _ = column
    return max([cell_len(heading), *(value.cell_len for value in values)])


def _table(
    columns: Sequence[tuple[str, list[Text], str]], *, rigid: bool = False, shrinks: str = "", width: int = 0
) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold", expand=False)
    if rigid:  # beyond the terminal's edge, if need be
        table.width = sum(_widest(column) + GAP for column in columns) - GAP
    taken = sum(_widest(column) + GAP for column in columns if column[0] != shrinks)
    for column in columns:
        heading, _, side = column
        widest = _widest(column)
        if heading == shrinks and not rigid:
            widest = max(12, min(widest, width - taken))
        justify: Any = side
        table.add_column(Text(heading), justify=justify, no_wrap=True, overflow="ellipsis", width=widest)
    for row in zip(*(values for _, values, _ in columns), strict=True):
        table.add_row(*row)
    return table


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
