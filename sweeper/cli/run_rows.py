"""Runs as rows of a table, a line each: what they are called, their values and curve, where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sweeper.cli.sparkline import sparkline
from sweeper.readable import duration, number
from sweeper.results.labels import brief, label, varying
from sweeper.results.status import RunStatus, SweepStatus
from sweeper.run import RunState

STYLES = {
    RunState.FINISHED: "green",
    RunState.RUNNING: "cyan",
    RunState.FAILED: "red",
    RunState.CRASHED: "red",
    RunState.KILLED: "yellow",
}
LEAST_LABEL = 12
"""Columns that are left for what a run is called, however little room there is."""


@dataclass(frozen=True, slots=True)
class Row:
    """What stands in the line of one run, by column."""

    id: str
    label: str
    values: tuple[str, ...]
    curve: str
    step: str
    state: str
    time: str
    slot: str


def run_table(status: SweepStatus, shown: Sequence[RunStatus], width: int) -> RenderableType:
    """Lay out runs, one line each, in as many columns as there are.

    Args:
        status: The sweep, with the curves of these runs.
        shown: The runs.
        width: Columns of the terminal.
    """
    several, gap = bool(status.facts.metrics), 1 if width < 100 else 2
    curve_width = 8 if width < 100 else 16 if width < 150 else 24
    rows = [_row(status, run, curve_width) for run in shown]
    headings = _headings(status)
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold", width=width)
    table.add_column("run", no_wrap=True)
    table.add_column("parameters", no_wrap=True, overflow="ellipsis", ratio=1, min_width=LEAST_LABEL)
    for heading in headings:
        most = max(20, width // 4) if several else None
        table.add_column(Text(heading), justify="right", no_wrap=True, overflow="ellipsis", max_width=most)
    if headings:
        table.add_column(no_wrap=True, min_width=1)  # of the star
    has_curves = any(row.curve for row in rows)
    if has_curves:
        table.add_column("curve", no_wrap=True)
    table.add_column("step", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("slot", no_wrap=True)
    taken = sum(_widths(rows, headings, has_curves)) + gap * (len(table.columns) - 1)
    labels = _labels(shown, width - taken)
    best = starred(status)
    for run, row, called in zip(shown, rows, labels, strict=True):
        table.add_row(*_cells(run, row, called, has_curves=has_curves, best=run.id in best))
    return table


def starred(status: SweepStatus) -> set[str]:
    """Name the best run; with several metrics each run of the front: none of them is the best."""
    return {run.id for run in (status.standing.front or (status.standing.best,)) if run}


def _headings(status: SweepStatus) -> tuple[str, ...]:
    if status.facts.metrics:
        return (status.facts.metric_names,)
    return ("last", "best") if status.facts.metric else ()


def _row(status: SweepStatus, run: RunStatus, curve_width: int) -> Row:
    values: tuple[str, ...] = ()
    if status.facts.metrics:
        values = (measured(run),)
    elif status.facts.metric:
        values = (number(run.last), number(run.best))
    curve = sparkline([value for _, value in status.curves.get(run.id, ())], curve_width)
    step = str(run.iterations) if run.iterations else "-"
    return Row(run.id, "", values, curve, step, state_word(run), duration(run.duration_s), run.slot or "-")


def state_word(run: RunStatus) -> str:
    """Write where a run stands; of a killed one if early termination did it, of a running one if it is to end."""
    if run.stopped_early:
        return "stopped"
    return "stopping" if run.told_to_stop else with_gap(run)


def with_gap(run: RunStatus) -> str:
    """Write a run's state, and whether it finished with a gap."""
    return f"{run.state.value} (gap)" if run.gap else run.state.value


def style_of(run: RunStatus) -> str:
    """Give the style of a run's state."""
    return "yellow" if run.gap else STYLES.get(run.state, "")


def measured(run: RunStatus) -> str:
    """Write a run's best value, or its last value of each of several metrics."""
    return " / ".join(map(number, run.values.values())) or number(run.best)


def _widths(rows: Sequence[Row], headings: Sequence[str], has_curves: bool) -> list[int]:
    columns = [[row.id for row in rows] + ["run"]]
    columns += [[row.values[place] for row in rows] + [heading] for place, heading in enumerate(headings)]
    columns += [["*"]] * bool(headings)
    if has_curves:
        columns.append([row.curve for row in rows] + ["curve"])
    columns += [[getattr(row, name) for row in rows] + [name] for name in ("step", "state", "time", "slot")]
    return [max(map(len, column)) for column in columns]


def _labels(shown: Sequence[RunStatus], room: int) -> list[str]:
    """Call the runs by what varies among them, by short names where the whole ones find no room."""
    names = varying(run.params for run in shown)
    labels = [label(run.params, names) for run in shown]
    if max(map(len, labels), default=0) <= room:
        return labels
    short = brief(names)
    return [
        label({short[name]: value for name, value in run.params.items() if name in short}, [*short.values()])
        for run in shown
    ]


def _cells(run: RunStatus, row: Row, called: str, *, has_curves: bool, best: bool) -> list[RenderableType]:
    style = "bold green" if best else ""
    *others, last = row.values or ("",)
    values = [*map(Text, others), Text(last, style=style), Text("*" if best else "", style=style)] if row.values else []
    curve = [Text(row.curve, style="cyan")] if has_curves else []
    state = Text(row.state, style="yellow" if run.stopped_early else style_of(run))
    # as text: a string in a cell would be markup
    return [Text(run.id), Text(called), *values, *curve, row.step, state, row.time, Text(row.slot)]
