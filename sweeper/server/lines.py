"""What runs log: history, system events and console, as raw lines by index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sweeper.run import finite

MAX_INTEGER = 2**63 - 1


class Stream(StrEnum):
    """The streams of a run."""

    HISTORY = "history"
    EVENTS = "events"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of the history, as sent and as read."""

    number: int
    text: str
    row: Mapping[str, Any]

    @property
    def step(self) -> int | None:
        """The `_step` it was logged at."""
        step = self.row.get("_step")
        return step if isinstance(step, int) and abs(step) <= MAX_INTEGER else None


def lookup(row: Mapping[str, Any], key: str) -> Any:
    """Find a dotted key in nested mappings whose own keys may hold dots; None when absent."""
    if key in row:
        return row[key]
    parts = key.split(".")
    for end in range(1, len(parts)):
        inner = row.get(".".join(parts[:end]))
        if isinstance(inner, Mapping):
            found = lookup(inner, ".".join(parts[end:]))
            if found is not None:
                return found
    return None


def put(db: sqlite3.Connection, run_id: int, stream: Stream, offset: int, texts: Sequence[str]) -> None:
    """Set the lines from `offset` on; the same request twice leaves the same lines."""
    rows = [(run_id, stream, offset + i, text) for i, text in enumerate(texts)]
    db.executemany("INSERT OR REPLACE INTO lines (run_id, stream, number, text) VALUES (?, ?, ?, ?)", rows)


def put_history(db: sqlite3.Connection, run_id: int, history: Sequence[HistoryLine]) -> None:
    """Set lines of the history, with their steps."""
    rows = [(run_id, Stream.HISTORY, line.number, line.step, line.text) for line in history]
    query = "INSERT OR REPLACE INTO lines (run_id, stream, number, step, text) VALUES (?, ?, ?, ?, ?)"
    db.executemany(query, rows)


def history(db: sqlite3.Connection, run_id: int) -> list[HistoryLine]:
    """Give all lines of the history."""
    query = "SELECT number, text FROM lines WHERE run_id = ? AND stream = ? ORDER BY number"
    rows = db.execute(query, (run_id, Stream.HISTORY))
    return [HistoryLine(row["number"], row["text"], json.loads(row["text"])) for row in rows]


def put_metric(db: sqlite3.Connection, sweep_id: int, run_id: int, metric: str, history: Sequence[HistoryLine]) -> bool:
    """Keep the values of a sweep's metric found in lines of a run's history; tell whether there were any."""
    db.executemany(
        "DELETE FROM metric_values WHERE sweep_id = ? AND run_id = ? AND line = ?",
        [(sweep_id, run_id, line.number) for line in history],
    )
    values = [
        (sweep_id, run_id, line.number, value) for line in history for value in finite([lookup(line.row, metric)])
    ]
    db.executemany("INSERT INTO metric_values VALUES (?, ?, ?, ?)", values)
    return bool(values)


def copy_metric(db: sqlite3.Connection, source_id: int, sweep_id: int, run_id: int) -> None:
    """Take over a run's metric from another sweep that has the same one."""
    query = "INSERT OR REPLACE INTO metric_values SELECT ?, run_id, line, value FROM metric_values"
    db.execute(f"{query} WHERE sweep_id = ? AND run_id = ?", (sweep_id, source_id, run_id))


def metric_histories(db: sqlite3.Connection, sweep_id: int) -> dict[int, tuple[float, ...]]:
    """Give the metric of every run that a sweep sees in logged order, by the run's row id."""
    query = "SELECT run_id, value FROM metric_values WHERE sweep_id = ? ORDER BY run_id, line"
    found: dict[int, list[float]] = {}
    for run_id, value in db.execute(query, (sweep_id,)):
        found.setdefault(run_id, []).append(value)
    return {run_id: tuple(values) for run_id, values in found.items()}


def count(db: sqlite3.Connection, run_id: int, stream: Stream) -> int:
    """Give the index of the line after the last one."""
    query = "SELECT coalesce(max(number) + 1, 0) FROM lines WHERE run_id = ? AND stream = ?"
    number: int = db.execute(query, (run_id, stream)).fetchone()[0]
    return number


def texts(db: sqlite3.Connection, run_id: int, stream: Stream) -> list[str]:
    """Give all lines of a stream."""
    query = "SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY number"
    return [row["text"] for row in db.execute(query, (run_id, stream))]


def history_between(db: sqlite3.Connection, run_id: int, first: int, end: int) -> list[str]:
    """Give the lines of the history with `first` <= step < `end`."""
    query = "SELECT text FROM lines WHERE run_id = ? AND stream = 'history' AND step >= ? AND step < ? ORDER BY number"
    return [row["text"] for row in db.execute(query, (run_id, first, end))]


def steps(db: sqlite3.Connection, run_id: int) -> list[int]:
    """Give the steps of the history, in logged order."""
    query = "SELECT step FROM lines WHERE run_id = ? AND stream = 'history' AND step IS NOT NULL ORDER BY number"
    return [row["step"] for row in db.execute(query, (run_id,))]


def clear(db: sqlite3.Connection, run_id: int) -> None:
    """Forget everything that a run logged."""
    db.execute("DELETE FROM lines WHERE run_id = ?", (run_id,))
    db.execute("DELETE FROM metric_values WHERE run_id = ?", (run_id,))


def tail(db: sqlite3.Connection, run_id: int, stream: Stream) -> list[str]:
    """Give the last line of a stream, as a list of at most one."""
    query = "SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY number DESC LIMIT 1"
    return [row["text"] for row in db.execute(query, (run_id, stream))]
