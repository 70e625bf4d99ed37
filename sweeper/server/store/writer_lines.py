"""Where the lines of each of several writers of one run lie: its own count beside the run's."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from sweeper.server.store.lines import Stream


def numbers(db: sqlite3.Connection, run_id: int, stream: Stream, writer: str, first: int) -> dict[int, int]:
    """Give the place in the stream of each line that a writer has sent, from its own number `first` on."""
    query = "SELECT line, number FROM writer_lines WHERE run_id = ? AND stream = ? AND writer = ? AND line >= ?"
    return dict(db.execute(query, (run_id, stream, writer, first)).fetchall())


def put(db: sqlite3.Connection, run_id: int, stream: Stream, writer: str, places: Mapping[int, int]) -> None:
    """Note where new lines of a writer lie: its own number of each, and its place in the stream."""
    rows = [(run_id, stream, writer, line, number) for line, number in places.items()]
    db.executemany("INSERT INTO writer_lines VALUES (?, ?, ?, ?, ?)", rows)
