"""Runs that are gone: deleting one, and the ids of those deleted, which are kept for good."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from sweeper.server.store.runs import StoredRun

# named: without it SQLite may go through all runs that were ever deleted, project by project
PLACES = (
    "SELECT p.id, p.entity, p.name, d.name FROM deleted_runs d INDEXED BY deleted_runs_with_files"
    " JOIN projects p ON p.id = d.project_id WHERE d.has_files ORDER BY d.project_id, d.name"
)
"""Where runs were whose files may be left."""


def remove(db: sqlite3.Connection, run_id: int) -> None:
    """Remove a run with all it logged, as if it had never been."""
    db.execute("DELETE FROM runs WHERE id = ?", (run_id,))


def bury(db: sqlite3.Connection, run: StoredRun, *, now: float) -> None:
    """Remove a run with all it logged and keep its id."""
    db.execute(
        "INSERT OR REPLACE INTO deleted_runs (project_id, name, deleted_at) VALUES (?, ?, ?)",
        (run.project_id, run.name, now),
    )
    remove(db, run.id)


def places(db: sqlite3.Connection) -> list[tuple[int, str, str, str]]:
    """List the deleted runs that may have files left: row id of the project, its entity and name, id of the run."""
    return [tuple(row) for row in db.execute(PLACES)]


def note_removed(db: sqlite3.Connection, project_id: int, names: Collection[str]) -> None:
    """Note that no file is left of deleted runs."""
    query = (
        "UPDATE deleted_runs SET has_files = 0"
        " WHERE project_id = ? AND name IN (SELECT value FROM json_each(?)) AND has_files"
    )
    db.execute(query, (project_id, json.dumps([*names])))


def has(db: sqlite3.Connection, project_id: int, name: str) -> bool:
    """Whether a project had a run of that id, which was deleted."""
    query = "SELECT 1 FROM deleted_runs WHERE project_id = ? AND name = ?"
    return db.execute(query, (project_id, name)).fetchone() is not None
