"""Where the attempts at runs went on, and the rows around there."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from sweeper.server.store import lines, runs
from sweeper.server.store.lines import Stream
from sweeper.server.store.runs import StoredRun


def was_interrupted(run: StoredRun) -> bool:
    """Whether an attempt at a run was cut off, and another one went on or began anew."""
    return bool(run.joins or run.reached)


def note_join(db: sqlite3.Connection, run: StoredRun) -> StoredRun:
    """Note that an attempt goes on behind what is there."""
    known: list[int] = json.loads(run.joins or "[]")
    end = lines.count(db, run.id, Stream.HISTORY)
    return run if end in known else runs.update(db, run.id, joins=json.dumps([*known, end]))


def ends_of(
    db: sqlite3.Connection, run_id: int, first: int, behind: int, most: int
) -> tuple[list[dict[str, Any]], ...]:
    """Give the rows of a part of a history; of a long one its first and its last.

    Args:
        db: A connection.
        run_id: The run.
        first: The part's first line.
        behind: The line behind its last one.
        most: How many rows of each end.
    """
    query = (
        "SELECT number, text FROM lines WHERE run_id = ? AND stream = 'history' AND number >= ? AND number < ?"
        " ORDER BY number {} LIMIT ?"
    )
    head = db.execute(query.format("ASC"), (run_id, first, behind, most)).fetchall()
    begun = head[-1]["number"] + 1 if head else first
    tail = db.execute(query.format("DESC"), (run_id, begun, behind, most)).fetchall()[::-1]
    if tail and tail[0]["number"] == begun:
        head, tail = head + tail, []
    return tuple([json.loads(row["text"]) for row in rows] for rows in (head, tail) if rows)
