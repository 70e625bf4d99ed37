"""What a run logged is taken away, counted anew, copied, or sent again as something else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sweeper.server.store import history_blocks
from sweeper.server.store.lines import HistoryLine, Stream


def clear(db: sqlite3.Connection, run_id: int) -> None:
    """Forget everything that a run logged."""
    for table in ("lines", "writer_lines", "metric_values", "nonfinite_values"):
        db.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608 - names of ours
    history_blocks.clear(db, run_id)


def cut_before(db: sqlite3.Connection, run_id: int, stream: Stream, number: int) -> None:
    """Forget a stream's lines before a number, and count the others from 0."""
    where = {"run": run_id, "stream": stream, "number": number}
    db.execute("DELETE FROM lines WHERE run_id = :run AND stream = :stream AND number < :number", where)
    # in the order of their numbers: each finds its new place free
    db.execute("UPDATE lines SET number = number - :number WHERE run_id = :run AND stream = :stream", where)
    if stream is Stream.HISTORY:
        history_blocks.clear(db, run_id)


def cut_history(db: sqlite3.Connection, run_id: int, last_step: int) -> None:
    """Forget what a run logged behind a step; lines without a step stay."""
    db.execute("DELETE FROM lines WHERE run_id = ? AND stream = 'history' AND step > ?", (run_id, last_step))
    history_blocks.clear(db, run_id)


def copy_history(db: sqlite3.Connection, source_id: int, run_id: int, last_step: int) -> None:
    """Give a run the history of another one up to and with a step, numbered from 0."""
    query = (
        "INSERT INTO lines (run_id, stream, number, step, text)"
        " SELECT ?, stream, row_number() OVER (ORDER BY number) - 1, step, text FROM lines"
        " WHERE run_id = ? AND stream = 'history' AND step <= ?"
    )
    db.execute(query, (run_id, source_id, last_step))
    history_blocks.clear(db, run_id)


def are_others(db: sqlite3.Connection, run_id: int, history: Sequence[HistoryLine]) -> bool:
    """Whether lines of the history are others than those that are there under their numbers, or fill a gap."""
    query = "SELECT text FROM lines WHERE run_id = ? AND stream = 'history' AND number = ?"
    there = (db.execute(query, (run_id, line.number)).fetchone() for line in history)
    return any(row is None or row["text"] != line.text for line, row in zip(history, there, strict=True))
