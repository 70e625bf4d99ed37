"""Runs as a table: parameters, metric and summary of each, or every row of their histories."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import IO, Any, Self

from sweeper.backend.run_reader import ServerRun
from sweeper.backend.sweep_view import SweepView
from sweeper.journal.attempt import Attempt
from sweeper.metric_value import flat
from sweeper.plain_text import whole
from sweeper.results.status import RunStatus
from sweeper.results.summarise import LocalView, summarise

RUN_COLUMNS = (
    *("run", "name", "state", "prior", "reason", "created_at", "duration_s", "attempts", "slot"),
    *("best", "last"),
)
"""What every table of runs has, in front of `config.*` and `summary.*`."""

HISTORY_COLUMNS = ("run", "step", "timestamp", "runtime_s")
"""What every table of histories has, in front of what was logged."""

_HISTORY_NAMES = {"_step": "step", "_timestamp": "timestamp", "_runtime": "runtime_s"}

Cells = Mapping[str, Any]
"""One row of a table, by column; a column that it lacks is empty."""


@dataclass
class Table:
    """Rows that were put aside in a file, as nobody knows all columns before the last row; a context manager.

    Attributes:
        first: The columns that come first, in this order; the others follow by name.
    """

    first: tuple[str, ...]
    _kinds: dict[str, set[str]] = field(default_factory=dict)
    _file: IO[str] = field(default_factory=lambda: tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115 see __exit__

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget the rows."""
        self._file.close()

    def add(self, row: Cells) -> None:
        """Add a row; what no file can hold of its texts and names is replaced."""
        line = json.dumps(row)
        if "\\ud" in line:  # a character beyond 16 bits, or half of one
            line = whole(json.dumps(row, ensure_ascii=False))
            row = json.loads(line)
        for name, value in row.items():
            self._kinds.setdefault(name, set()).add(_kind(value))
        self._file.write(line + "\n")

    @property
    def columns(self) -> list[str]:
        """All columns: the same for the same runs, in whatever order they come."""
        return [*self.first, *sorted(self._kinds.keys() - set(self.first))]

    def kind(self, column: str) -> str:
        """Say what is in a column: `bool`, `int`, `float`, or `text` for anything else and for a mixture."""
        kinds = self._kinds.get(column, set()) - {"none"}
        if kinds <= {"int", "float"} and kinds:  # who logs 1 and then 0.5 logs numbers
            return "float" if "float" in kinds else "int"
        return kinds.pop() if len(kinds) == 1 else "text"

    def rows(self) -> Iterator[Cells]:
        """Read the rows."""
        self._file.seek(0)
        return map(json.loads, self._file)


def _kind(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        # what Parquet's int64 cannot hold is at least near as a float
        return "int" if -(2**63) <= value < 2**63 else "float"
    return "float" if isinstance(value, float) else "text"


def run_table(view: SweepView, runs: Iterable[ServerRun], attempts: Mapping[str, Attempt], *, now: datetime) -> Table:
    """Make a row of each of a sweep's runs and of those attached to it, the oldest first.

    Args:
        view: The sweep.
        runs: The same runs, whole.
        attempts: What this machine's workers wrote, by run id.
        now: The time (aware).
    """
    alike = tuple(replace(run, prior=False) for run in view.runs)  # a status has no prior runs
    status = summarise(replace(view, runs=alike), LocalView(attempts=attempts), now=now)
    shown = {run.id: run for run in status.runs}
    table = Table(RUN_COLUMNS)
    for run in runs:
        if run.id in shown:  # and not made in the meantime
            table.add({**_run_row(run, shown[run.id]), "prior": run.sweep != view.ref.sweep_id})
    return table


def _run_row(run: ServerRun, status: RunStatus) -> Cells:
    row = {
        "run": run.id,
        "name": run.name,
        "state": run.state.value,
        "reason": status.reason,
        "created_at": run.created_at.isoformat(),
        "duration_s": status.duration_s,
        "attempts": status.attempts if status.slot else None,
        "slot": status.slot,
        "best": status.best,
        "last": status.last,
    }
    row |= {f"config.{name}": value for name, value in flat(run.config)}
    return row | {f"summary.{name}": value for name, value in flat(run.summary)}


def history_table(runs: Iterable[ServerRun], *, tell: Callable[[], None] = lambda: None) -> Table:
    """Make a row of every step that each run has logged, run after run.

    Args:
        runs: The runs, whole.
        tell: Told of every run that has been read.
    """
    table = Table(HISTORY_COLUMNS)
    for run in runs:
        for logged in run.rows():
            named = {_HISTORY_NAMES[name]: value for name, value in logged.items() if name in _HISTORY_NAMES}
            values = {f"logged.{name}" if name in HISTORY_COLUMNS else name: value for name, value in flat(logged)}
            table.add({"run": run.id, **named, **values})
        tell()
    return table
