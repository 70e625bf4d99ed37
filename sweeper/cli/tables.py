"""A sweep's status, laid out for a terminal of 80 columns or more: what is always seen first, then what finds room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from sweeper.cli.failure_rows import failure_blocks, failure_lines
from sweeper.cli.header import header
from sweeper.cli.run_rows import run_table
from sweeper.cli.slot_rows import slot_table
from sweeper.readable import number, parameters, runs_word, share
from sweeper.results.foremost import foremost, rows_wanted
from sweeper.results.status import RunStatus, SweepStatus
from sweeper.run import sign

if TYPE_CHECKING:
    from sweeper.search.importance import Importance

WIDEST = 200
"""Columns that are used at most: an eye does not follow longer lines."""
FOLDED = 2
"""Lines for what is long where every line counts."""
LEAST_RUNS = 2
"""Rows of runs that there are at least, where nothing runs."""
MOST_FAILURES, HIGH = 3, 40
"""Lines for failures; twice as many on a terminal of so many lines, where logs are named by their paths."""
MOST_SLOTS = 32


def status_view(
    status: SweepStatus, *, width: int, height: int | None = None, every_run: bool = False
) -> RenderableType:
    """Lay out a status to be printed: the runs, then the sweep, so that the best run stands where the eye is.

    Args:
        status: What to show.
        width: Columns of the terminal.
        height: Lines of the terminal, on which all is to be seen at once; None for a file or a pipe, where nothing is
            in the way of more.
        every_run: A row for each of them, however many there are.
    """
    width = min(width, WIDEST)
    weighed = [] if status.search.importance is None else [importance_table(status.search.importance), Text()]
    if height is not None and not every_run and not weighed:
        return _Fitted(status, width, height, folded=None).view(header_first=False)
    shown = status.runs if every_run else foremost(status, rows_wanted(status))
    slots = [Text(), *_slots(status, MOST_SLOTS)] if status.slots else []
    failures = [Text(), *failure_blocks(status)]
    front = [Text(), front_table(status)] if status.facts.metrics else []
    runs = _runs(status, shown, width)
    return Group(
        *runs, *slots, *(failures if len(failures) > 1 else []), Text(), *weighed, *header(status, width=width), *front
    )


def live_view(status: SweepStatus, *, width: int, height: int, note: str = "") -> RenderableType:
    """Lay out a status to be drawn again and again, in exactly the lines that there are at most.

    Args:
        status: What to show.
        width: Columns of the terminal.
        height: Its lines.
        note: What is wrong with the status itself; it stands above all.
    """
    return _Fitted(status, min(width, WIDEST), height, folded=FOLDED, note=note).view(header_first=True)


@dataclass
class _Fitted:
    """A status in so many lines: the header and what runs before all else, then slots, failures, and other runs.

    Attributes:
        status: What to show.
        width: Columns of the terminal.
        height: Its lines.
        folded: Lines for what is long; None leaves it whole, for the terminal to wrap.
        note: What stands above all.
    """

    status: SweepStatus
    width: int
    height: int
    folded: int | None
    note: str = ""

    def view(self, *, header_first: bool) -> RenderableType:
        """Lay it out."""
        status, width = self.status, self.width
        top = header(status, width=width, folded=self.folded, params=None if self.height >= HIGH else FOLDED)
        if self.folded is not None:
            for line in top:
                line.overflow = "ellipsis"
        if status.facts.metrics:
            top.append(_front_line(status))
        if self.note:
            top.insert(0, Text(self.note, style="yellow", no_wrap=True, overflow="ellipsis"))
        going = sum(run.at_work for run in status.runs)
        left = self.height - self._lines(top) - 1
        # a heading, the runs that are seen in any case, and how many are not seen
        needed = 2 + min(len(status.runs), max(going, LEAST_RUNS)) if status.runs else 1
        slots = self._slots(left - needed)
        failures = self._failures(left - needed - self._lines(slots))
        rows = max(0, left - self._lines(slots) - self._lines(failures) - 1)
        runs = self._runs(rows)
        if header_first:
            return _Cut(Group(*top, *slots, Text(), *runs, *failures), self.height)
        return Group(*runs, *slots, *failures, Text(), *top)

    def _runs(self, rows: int) -> list[RenderableType]:
        if len(self.status.runs) > rows:
            rows = max(0, rows - 1)
        return _runs(self.status, foremost(self.status, rows), self.width)

    def _slots(self, room: int) -> list[RenderableType]:
        """Take a blank line, a heading and a line a slot; or nothing, where that leaves no line."""
        if not self.status.slots or room < 3:
            return []
        return [Text(), *_slots(self.status, min(MOST_SLOTS, room - 2))]

    def _failures(self, room: int) -> list[RenderableType]:
        whole: list[RenderableType] = [Text(), *failure_blocks(self.status)]
        if self.folded is None and self._lines(whole) <= room:
            return whole if len(whole) > 1 else []
        if not self.status.failures or room < 1:
            return []
        apart = [Text()] * (room > 1)
        most = min(MOST_FAILURES * (2 if self.height >= HIGH else 1), room - len(apart))
        return [*apart, *failure_lines(self.status.failures, width=self.width, most=most)]

    def _lines(self, block: Sequence[RenderableType]) -> int:
        """Count the lines that something takes: what is longer than one is wrapped by the terminal, or cut."""
        return sum(self._height(one) for one in block)

    def _height(self, one: RenderableType) -> int:
        if isinstance(one, Table):
            return len(one.rows) + 1
        length = one.cell_len if isinstance(one, Text) and self.folded is None else 0
        return max(1, -(-length // self.width))


@dataclass
class _Cut:
    """Something to be drawn again and again, of which no more than so many lines are drawn."""

    whole: RenderableType
    height: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        lines = console.render_lines(self.whole, options, pad=False)[: self.height]
        for place, line in enumerate(lines):
            yield from [Segment.line()] * bool(place)
            yield from line


def _slots(status: SweepStatus, most: int) -> list[RenderableType]:
    shown = status.slots if len(status.slots) <= most else status.slots[: max(1, most - 1)]
    more = len(status.slots) - len(shown)
    return [slot_table(shown), *([Text(f"… {more:,} more slots", style="dim")] if more else [])]


def _runs(status: SweepStatus, shown: Sequence[RunStatus], width: int) -> list[RenderableType]:
    """Lay out some of the runs, and how many there are besides."""
    if not status.runs:
        return [Text("no run yet")]
    more = len(status.runs) - len(shown)
    rest = [Text(f"… {more:,} more: sweeper runs", style="dim")] if more else []
    return [run_table(status, shown, width), *rest]


def importance_table(rows: Sequence[Importance]) -> RenderableType:
    """Lay out how much each parameter mattered, or say that it is too early to tell."""
    from sweeper.search.importance import MIN_RUNS  # with the search, which takes a while to import

    most = max((row.n for row in rows), default=0)
    if most < MIN_RUNS:
        return Text(f"importance: {most} runs with a value are too few, it takes {MIN_RUNS}", style="dim")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("importance", overflow="fold")
    for heading in ("PED-ANOVA", "forest", "correlation", "runs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(Text(row.name), share(row.ped_anova), share(row.forest), correlation(row), str(row.n))
    return table


def correlation(row: Importance) -> str:
    """Write a correlation with its sign: `+0.81`."""
    return "-" if row.correlation is None else f"{row.correlation:+.2f}"


def front_table(status: SweepStatus) -> RenderableType:
    """Lay out the runs that no other run beats, each with its value of every metric."""
    if not status.standing.front:
        return Text("front: no run has finished with a value of every metric yet", style="dim")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("front", no_wrap=True)
    for name, goal in status.facts.metrics.items():
        table.add_column(Text(f"{name} {'↓' if sign(goal) > 0 else '↑'}"), justify="right", overflow="fold")
    table.add_column("parameters", overflow="fold", ratio=1)
    for run in status.standing.front:
        numbers = [number(value) for value in run.values.values()]
        table.add_row(Text(run.id, style="green"), *numbers, Text(parameters(run.params)))
    return table


def _front_line(status: SweepStatus) -> Text:
    """Say how many runs no other run beats: their table may be longer than the screen."""
    size = len(status.standing.front)
    told = f"{runs_word(size)} that none beats, each with a star: sweeper best" if size else "no run yet"
    return Text.assemble(("front   ", "bold"), told, no_wrap=True, overflow="ellipsis")
