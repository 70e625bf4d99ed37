"""Deleting runs for good: what a deleted run's process still sends does not bring it back."""

from __future__ import annotations

from sweeper.server.errors import NotFoundError
from sweeper.server.store import deleted_runs
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun


def delete_run(db: Connection, run: StoredRun, *, now: float) -> None:
    """Delete a run with all it logged; its uploads lie on disk and are the caller's to remove."""
    deleted_runs.bury(db, run, now=now)


def is_deleted(db: Connection, project_id: int, name: str) -> bool:
    """Whether a project had a run of that id, which was deleted: its process, if any is left, is told to stop."""
    return deleted_runs.has(db, project_id, name)


def check_new(db: Connection, project_id: int, name: str) -> None:
    """Refuse to make a run under a deleted one's id, as W&B does.

    Raises:
        NotFoundError: The id is a deleted run's.
    """
    if is_deleted(db, project_id, name):
        raise NotFoundError(f"run {name} was deleted: start it again under a new id")
