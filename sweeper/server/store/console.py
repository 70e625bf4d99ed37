"""What runs print, line by line, as the SDK's `run.console_logs()` tells it (0.31.0).

A line is stored as it was sent: `2026-01-31T12:00:00.000001 text`, with ERROR before it for one from stderr, and the
label of its process before the text in shared mode: `... [label] text`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from sweeper.server.store.lines import Stream, bounded

_LINE = re.compile(r"(?P<error>ERROR )?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?) (?P<text>.*)", re.DOTALL)
_LABEL = re.compile(r"\[(?P<label>[^\]]{1,200})\] (?P<text>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """One line.

    Attributes:
        number: Its place in the run, from 0.
        timestamp: When it was printed, in W&B's form (UTC); None for a line of another form, which is all text.
        level: `error` for one from stderr, else empty.
        label: The label of its process, in shared mode.
        line: The text.
    """

    number: int
    timestamp: str | None
    level: str
    label: str
    line: str


def page(db: sqlite3.Connection, run_id: int, *, start: int, size: int) -> tuple[list[ConsoleLine], bool]:
    """Give the lines from one on, the oldest first, and whether there are more."""
    query = "SELECT number, text FROM lines WHERE run_id = ? AND stream = ? AND number >= ? ORDER BY number LIMIT ?"
    # one more than asked for: whether there is a next page is then known without a count
    rows = list(bounded(db.execute(query, (run_id, Stream.CONSOLE, start, size + 1))))
    return [_line(row["number"], row["text"]) for row in rows[:size]], len(rows) > size


def tail(db: sqlite3.Connection, run_id: int, size: int) -> list[ConsoleLine]:
    """Give the last lines, the oldest first."""
    query = "SELECT number, text FROM lines WHERE run_id = ? AND stream = ? ORDER BY number DESC LIMIT ?"
    rows = list(bounded(db.execute(query, (run_id, Stream.CONSOLE, size))))
    return [_line(row["number"], row["text"]) for row in reversed(rows)]


def stored_from(db: sqlite3.Connection, run_id: int, *, start: int, size: int) -> Iterator[tuple[int, str]]:
    """Walk through lines from one on, each as it is stored."""
    query = "SELECT number, text FROM lines WHERE run_id = ? AND stream = ? AND number >= ? ORDER BY number LIMIT ?"
    yield from map(tuple, db.execute(query, (run_id, Stream.CONSOLE, start, size)))


def text_of(stored: str) -> str:
    """Give what was printed of a stored line: without when, where to and by whom."""
    return _line(0, stored).line


def _line(number: int, stored: str) -> ConsoleLine:
    """Take a stored line apart."""
    found = _LINE.fullmatch(stored)
    if found is None:
        return ConsoleLine(number, None, "", "", stored)
    labelled = _LABEL.fullmatch(found["text"])
    return ConsoleLine(
        number,
        timestamp=found["time"] + "Z",  # the SDK writes UTC and does not say so
        level="error" if found["error"] else "",
        label=labelled["label"] if labelled else "",
        line=labelled["text"] if labelled else found["text"],
    )
