"""Deleting runs and their files, for good: what a deleted run's process still sends does not bring it back."""

from __future__ import annotations

from collections.abc import Iterable

from sweeper.server.errors import NotFoundError
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun


def delete_run(db: Connection, run: StoredRun, *, now: float) -> None:
    """Delete a run with all it logged; its uploads lie on disk and are the caller's to remove."""
    db.execute("INSERT OR REPLACE INTO deleted_runs VALUES (?, ?, ?)", (run.project_id, run.name, now))
    db.execute("DELETE FROM runs WHERE id = ?", (run.id,))


def is_deleted(db: Connection, project_id: int, name: str) -> bool:
    """Whether a project had a run of that id, which was deleted."""
    query = "SELECT 1 FROM deleted_runs WHERE project_id = ? AND name = ?"
    return db.execute(query, (project_id, name)).fetchone() is not None


def check_new(db: Connection, project_id: int, name: str) -> None:
    """Refuse to make a run under a deleted one's id, as W&B does.

    Raises:
        NotFoundError: The id is a deleted run's.
    """
    if is_deleted(db, project_id, name):
        raise NotFoundError(f"run {name} was deleted: start it again under a new id")


def delete_files(db: Connection, run_id: int, paths: Iterable[str]) -> None:
    """Forget files of a run; their content lies on disk and is the caller's to remove."""
    db.executemany("DELETE FROM files WHERE run_id = ? AND path = ?", [(run_id, path) for path in paths])
