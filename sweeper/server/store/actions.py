"""What people asked of sweeps and runs, with who, when and why: shown on their pages."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

SHOWN = 50
"""Rows that a page is given: the latest."""


@dataclass(frozen=True, slots=True)
class Action:
    """One of them.

    Attributes:
        name: What was asked: `pause`, `resume`, `stop`, `cancel`, `retry`.
        user_name: By whom.
        reason: Why, in their words; perhaps empty.
        created_at: When.
        run: The run it was asked of; None if it was the sweep.
    """

    name: str
    user_name: str
    reason: str
    created_at: float
    run: str | None = None


def record(db: sqlite3.Connection, action: Action, *, sweep: Sweep | None = None, run: StoredRun | None = None) -> None:
    """Keep what was asked of a sweep, or of a run."""
    sweep_id = run.sweep_id if run else sweep.id if sweep else None
    query = "INSERT INTO actions (sweep_id, run_id, user_name, action, reason, created_at) VALUES (?, ?, ?, ?, ?, ?)"
    row = (sweep_id, run.id if run else None, action.user_name, action.name, action.reason, action.created_at)
    db.execute(query, row)


def of_sweep(db: sqlite3.Connection, sweep_id: int) -> list[Action]:
    """List the latest of what was asked of a sweep and of its runs, the newest first."""
    return _where(db, "a.sweep_id = ?", sweep_id)


def of_run(db: sqlite3.Connection, run_id: int) -> list[Action]:
    """List the latest of what was asked of a run, the newest first."""
    return _where(db, "a.run_id = ?", run_id)


def _where(db: sqlite3.Connection, condition: str, value: int) -> list[Action]:
    columns = "a.action, a.user_name, a.reason, a.created_at, r.name"
    query = f"SELECT {columns} FROM actions a LEFT JOIN runs r ON r.id = a.run_id WHERE {condition}"  # noqa: S608
    return [Action(*row) for row in db.execute(f"{query} ORDER BY a.id DESC LIMIT {SHOWN}", (value,))]
