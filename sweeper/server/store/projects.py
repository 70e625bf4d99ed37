"""Projects in the database."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sweeper.server.errors import NotFoundError
from sweeper.server.names import check_entity, check_name
from sweeper.server.store import privacy

_BY_NAME = "SELECT * FROM projects WHERE entity = ? AND name = ?"


@dataclass(frozen=True, slots=True)
class Project:
    """A named place for sweeps and runs under an entity."""

    # the table's columns in their order: rows are unpacked as they come

    id: int
    entity: str
    name: str
    created_at: float
    private: int = 0
    owner_id: int | None = None


def ensure(db: sqlite3.Connection, entity: str, name: str, *, now: float, owner_id: int | None = None) -> Project:
    """Find a project, made if it is not there; a new one with an owner is that one's alone.

    Raises:
        NotFoundError: Its name is taken by one that is hidden from who asks.
    """
    known = find(db, entity, name)
    if known is not None:  # perhaps from before its name was kept for ourselves: its runs go on
        return known
    # files of runs lie in folders of these names
    check_entity(entity)
    check_name(name, "project")
    query = "INSERT OR IGNORE INTO projects (entity, name, created_at, private, owner_id) VALUES (?, ?, ?, ?, ?)"
    db.execute(query, (entity, name, now, owner_id is not None, owner_id))
    made = find(db, entity, name)
    if made is None:
        raise NotFoundError(f"no project {entity}/{name} here")
    return made


def find(db: sqlite3.Connection, entity: str, name: str) -> Project | None:
    """Find a project by its names, if it is there for who asks."""
    row = db.execute(_BY_NAME, (entity, name)).fetchone()
    return Project(*row) if row and row["id"] not in privacy.hidden(db) else None


def get(db: sqlite3.Connection, project_id: int) -> Project:
    """Fetch the project of a row that was found."""
    return Project(*db.execute("SELECT * FROM projects WHERE id = ?", (project_id,)).fetchone())


def all_of(db: sqlite3.Connection, entity: str | None = None) -> list[Project]:
    """List the projects of one entity, or all, that are there for who asks, the newest first."""
    query = "SELECT * FROM projects WHERE :entity IS NULL OR entity = :entity ORDER BY id DESC"
    unseen = privacy.hidden(db)
    return [Project(*row) for row in db.execute(query, {"entity": entity}) if row["id"] not in unseen]
