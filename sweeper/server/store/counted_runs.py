"""Which runs of a sweep were given out for which group of workers; a run counts once, for the first one."""

from __future__ import annotations

import sqlite3

from sweeper.server.store import runs
from sweeper.server.store.runs import UNFINISHED, StoredRun

_OF_GROUP = "id IN (SELECT run_id FROM counted_runs WHERE sweep_id = ? AND group_name = ?)"


def note(db: sqlite3.Connection, run: StoredRun, group: str) -> None:
    """Note for which group a run is given out, if it is for the first time."""
    query = "INSERT OR IGNORE INTO counted_runs (run_id, sweep_id, group_name) VALUES (?, ?, ?)"
    db.execute(query, (run.id, run.sweep_id, group))


def made(db: sqlite3.Connection, sweep_id: int, group: str) -> int:
    """Count the runs that were given out for a group and are still there."""
    query = "SELECT count(*) FROM counted_runs WHERE sweep_id = ? AND group_name = ?"
    number: int = db.execute(query, (sweep_id, group)).fetchone()[0]
    return number


def unfinished(db: sqlite3.Connection, sweep_id: int, group: str) -> int:
    """Count those of them that have not ended."""
    marks = ",".join("?" * len(UNFINISHED))
    query = f"SELECT count(*) FROM runs WHERE {_OF_GROUP} AND state IN ({marks})"  # noqa: S608 - names of ours
    number: int = db.execute(query, (sweep_id, group, *UNFINISHED)).fetchone()[0]
    return number


def waiting(db: sqlite3.Connection, sweep_id: int, group: str) -> StoredRun | None:
    """Find the oldest of them that waits for an agent: taken back before it started, or preempted."""
    condition = f"{_OF_GROUP} AND agent_id IS NULL AND state IN ('pending', 'preempted')"
    return next(iter(runs.where(db, condition, (sweep_id, group))), None)


def ready(db: sqlite3.Connection, sweep_id: int, group: str, *, ended_before: float) -> int:
    """Count those that wait for an agent, and whose last attempt, if there was one, had ended by a time."""
    query = (
        f"SELECT count(*) FROM runs WHERE {_OF_GROUP} AND agent_id IS NULL"  # noqa: S608 - names of ours
        " AND (state = 'pending' OR state = 'preempted' AND ended_at <= ?)"
    )
    number: int = db.execute(query, (sweep_id, group, ended_before)).fetchone()[0]
    return number
