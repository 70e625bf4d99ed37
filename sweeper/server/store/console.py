"""What runs print, line by line, as the SDK's `run.console_logs()` reads it (0.31.0).

A line is stored as it was sent: `2026-01-31T12:00:00.000001 text`, with ERROR before it for one from stderr, and the
label of its process before the text in shared mode: `... [label] text`.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from sweeper.server.errors import RequestError
from sweeper.server.store.lines import MAX_INTEGER, Stream

MAX_PAGE = 10_000
"""Lines of one answer, whatever is asked for."""
_LINE = re.compile(r"(?P<error>ERROR )?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?) (?P<text>.*)", re.DOTALL)
_LABEL = re.compile(r"\[(?P<label>[^\]]{1,200})\] (?P<text>.*)", re.DOTALL)


def page(db: sqlite3.Connection, run_id: int, *, first: int | None, after: str | None) -> dict[str, Any]:
    """Give the lines behind a cursor, the oldest first.

    Raises:
        RequestError: The cursor or the length is not one.
    """
    size = _size(first)
    start = _number(after) + 1 if after else 0
    query = "SELECT number, text FROM lines WHERE run_id = ? AND stream = ? AND number >= ? ORDER BY number LIMIT ?"
    # one more than asked for: whether there is a next page is then known without a count
    rows = db.execute(query, (run_id, Stream.CONSOLE, start, size + 1)).fetchall()
    return _connection(rows[:size], has_next=len(rows) > size, after=after)


def tail(db: sqlite3.Connection, run_id: int, last: int) -> dict[str, Any]:
    """Give the last lines, the oldest first.

    Raises:
        RequestError: The length is not one.
    """
    query = "SELECT number, text FROM lines WHERE run_id = ? AND stream = ? ORDER BY number DESC LIMIT ?"
    rows = db.execute(query, (run_id, Stream.CONSOLE, _size(last))).fetchall()
    return _connection(rows[::-1], has_next=False, after=None)


def _size(asked: int | None) -> int:
    size = 1000 if asked is None else asked
    if size < 0:
        raise RequestError(f"{size} lines: a number of lines is not negative")
    return min(size, MAX_PAGE)


def _number(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or int(cursor[:20]) >= MAX_INTEGER:
        raise RequestError(f"{cursor!r} is not a cursor of ours")
    return int(cursor)


def _connection(rows: list[sqlite3.Row], *, has_next: bool, after: str | None) -> dict[str, Any]:
    edges = [{"node": _node(row["number"], row["text"]), "cursor": str(row["number"])} for row in rows]
    end = edges[-1]["cursor"] if edges else after
    return {"edges": edges, "page_info": {"end_cursor": end, "has_next_page": has_next}}


def _node(number: int, stored: str) -> dict[str, Any]:
    """Take a stored line apart; one of another form is all text."""
    found = _LINE.fullmatch(stored)
    if found is None:
        return {"number": number, "timestamp": None, "level": "", "label": "", "line": stored}
    labelled = _LABEL.fullmatch(found["text"])
    return {
        "number": number,
        "timestamp": found["time"] + "Z",  # the SDK writes UTC and does not say so
        "level": "error" if found["error"] else "",
        "label": labelled["label"] if labelled else "",
        "line": labelled["text"] if labelled else found["text"],
    }
