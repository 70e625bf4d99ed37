"""Runs that are gone: deleting one, and the ids of those deleted, which are kept for good."""

from __future__ import annotations

import sqlite3

from sweeper.server.store.runs import StoredRun


def remove(db: sqlite3.Connection, run_id: int) -> None:
    """Remove a run with all it logged, as if it had never been."""
    db.execute("DELETE FROM runs WHERE id = ?", (run_id,))


def bury(db: sqlite3.Connection, run: StoredRun, *, now: float) -> None:
    """Remove a run with all it logged and keep its id."""
    db.execute("INSERT OR REPLACE INTO deleted_runs VALUES (?, ?, ?)", (run.project_id, run.name, now))
    remove(db, run.id)


def places(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """List entity, project and id of every deleted run."""
    query = "SELECT p.entity, p.name, d.name FROM deleted_runs d JOIN projects p ON p.id = d.project_id"
    return [tuple(row) for row in db.execute(query)]


def has(db: sqlite3.Connection, project_id: int, name: str) -> bool:
    """Whether a project had a run of that id, which was deleted."""
    query = "SELECT 1 FROM deleted_runs WHERE project_id = ? AND name = ?"
    return db.execute(query, (project_id, name)).fetchone() is not None
