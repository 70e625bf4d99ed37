"""Projects in the database."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sweeper.server.names import check_entity, check_name

_BY_NAME = "SELECT * FROM projects WHERE entity = ? AND name = ?"


@dataclass(frozen=True, slots=True)
class Project:
    """A named place for sweeps and runs under an entity."""

    # the table's columns in their order: rows are unpacked as they come

    id: int
    entity: str
    name: str
    created_at: float


def ensure(db: sqlite3.Connection, entity: str, name: str, *, now: float) -> Project:
    """Find a project, made if it is not there."""
    known = find(db, entity, name)
    if known is not None:  # perhaps from before its name was kept for ourselves: its runs go on
        return known
    # files of runs lie in folders of these names
    check_entity(entity)
    check_name(name, "project")
    query = "INSERT OR IGNORE INTO projects (entity, name, created_at) VALUES (?, ?, ?)"
    db.execute(query, (entity, name, now))
    return Project(*db.execute(_BY_NAME, (entity, name)).fetchone())


def find(db: sqlite3.Connection, entity: str, name: str) -> Project | None:
    """Find a project by its names."""
    row = db.execute(_BY_NAME, (entity, name)).fetchone()
    return Project(*row) if row else None


def get(db: sqlite3.Connection, project_id: int) -> Project:
    """Fetch a project that is there."""
    return Project(*db.execute("SELECT * FROM projects WHERE id = ?", (project_id,)).fetchone())


def all_of(db: sqlite3.Connection, entity: str | None = None) -> list[Project]:
    """List the projects of one entity, or all, the newest first."""
    query = "SELECT * FROM projects WHERE :entity IS NULL OR entity = :entity ORDER BY id DESC"
    return [Project(*row) for row in db.execute(query, {"entity": entity})]
