"""Collections of artifacts in the database: their versions and aliases."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.store import privacy

SEQUENCE, PORTFOLIO = "ArtifactSequence", "ArtifactPortfolio"
"""Kinds of collections, named as GraphQL's types: versions logged under a name, versions linked to a name."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A name with versions of artifacts; `tags` is JSON, `next_version` the number of the next one."""

    # the table's columns in their order: rows are unpacked as they come

    id: int
    project_id: int
    name: str
    kind: str
    type: str
    description: str | None
    tags: str
    next_version: int
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Membership:
    """An artifact as one version of a collection."""

    collection_id: int
    version: int
    artifact_id: int
    created_at: float


def add(db: sqlite3.Connection, project_id: int, name: str, kind: str, artifact_type: str, *, now: float) -> None:
    """Store a collection without versions, unless the project has one of that name, of whatever kind and type."""
    query = (
        "INSERT OR IGNORE INTO artifact_collections (project_id, name, kind, type, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?)"
    )
    db.execute(query, (project_id, name, kind, artifact_type, now, now))


def find(db: sqlite3.Connection, project_id: int, name: str) -> Collection | None:
    """Find a collection by name."""
    query = "SELECT * FROM artifact_collections WHERE project_id = ? AND name = ?"
    row = db.execute(query, (project_id, name)).fetchone()
    return Collection(*row) if row else None


def get(db: sqlite3.Connection, collection_id: int) -> Collection:
    """Fetch a collection.

    Raises:
        NotFoundError: It is gone, or hidden from who asks.
    """
    row = db.execute("SELECT * FROM artifact_collections WHERE id = ?", (collection_id,)).fetchone()
    if row is None or privacy.hides_collection(db, collection_id):
        raise NotFoundError("this artifact collection is not, or no longer, here")
    return Collection(*row)


def was_deleted(db: sqlite3.Connection, collection_id: int) -> bool:
    """Whether there was a collection of an id, which is gone: no id is given out twice."""
    query = "SELECT 1 FROM sqlite_sequence WHERE name = 'artifact_collections' AND seq >= ?"
    if db.execute(query, (collection_id,)).fetchone() is None:
        return False
    there = db.execute("SELECT 1 FROM artifact_collections WHERE id = ?", (collection_id,)).fetchone() is not None
    return not there or privacy.hides_collection(db, collection_id)  # as artifacts.was_deleted


def of_project(db: sqlite3.Connection, project_id: int, artifact_type: str | None = None) -> list[Collection]:
    """List a project's collections, or those of one type, the newest first; not those that never had a version."""
    query = (
        "SELECT * FROM artifact_collections WHERE project_id = :project AND (:type IS NULL OR type = :type)"
        " AND next_version > 0 ORDER BY id DESC"
    )
    return [Collection(*row) for row in db.execute(query, {"project": project_id, "type": artifact_type})]


def types_of(db: sqlite3.Connection, project_id: int) -> list[tuple[str, float]]:
    """List the types of a project's artifacts, each with the time it was first used, the oldest first."""
    query = "SELECT type, min(created_at) AS since FROM artifact_collections WHERE project_id = ? AND next_version > 0"
    return [tuple(row) for row in db.execute(f"{query} GROUP BY type ORDER BY since, type", (project_id,))]


def update(db: sqlite3.Connection, collection_id: int, *, now: float, **columns: object) -> Collection:
    """Set columns of a collection.

    Raises:
        RequestError: The project has another collection of that name.
    """
    assignments = ", ".join(f"{column} = ?" for column in (*columns, "updated_at"))
    query = f"UPDATE artifact_collections SET {assignments} WHERE id = ?"  # noqa: S608 - names of ours
    try:
        db.execute(query, (*columns.values(), now, collection_id))
    except sqlite3.IntegrityError as error:
        raise RequestError(f"there is another artifact collection named {columns.get('name')!r}") from error
    return get(db, collection_id)


def delete(db: sqlite3.Connection, collection_id: int) -> None:
    """Delete a collection with everything in it."""
    db.execute("DELETE FROM artifact_collections WHERE id = ?", (collection_id,))


def delete_unused(db: sqlite3.Connection) -> None:
    """Delete the collections that never had a version and have no artifact that could become one."""
    logged_to = "SELECT collection_id FROM artifacts"
    db.execute(f"DELETE FROM artifact_collections WHERE next_version = 0 AND id NOT IN ({logged_to})")  # noqa: S608


def take_version(db: sqlite3.Connection, collection_id: int, *, now: float) -> int:
    """Give out a collection's next version number, 0 first; none is given out twice, whatever is deleted."""
    query = (
        "UPDATE artifact_collections SET next_version = next_version + 1, updated_at = ? WHERE id = ?"
        " RETURNING next_version - 1"
    )
    number: int = db.execute(query, (now, collection_id)).fetchone()[0]
    return number


def add_membership(db: sqlite3.Connection, member: Membership) -> None:
    """Store an artifact as a version of a collection that it is not in yet."""
    row = (member.collection_id, member.version, member.artifact_id, member.created_at)
    db.execute("INSERT INTO artifact_memberships VALUES (?, ?, ?, ?)", row)


def membership(db: sqlite3.Connection, collection_id: int, artifact_id: int) -> Membership | None:
    """Find an artifact in a collection."""
    query = "SELECT * FROM artifact_memberships WHERE collection_id = ? AND artifact_id = ?"
    row = db.execute(query, (collection_id, artifact_id)).fetchone()
    return Membership(*row) if row else None


def memberships_of(db: sqlite3.Connection, artifact_id: int) -> list[Membership]:
    """List the collections an artifact is in and that are there for who asks, its own first."""
    query = "SELECT * FROM artifact_memberships WHERE artifact_id = ? ORDER BY collection_id"
    found = [Membership(*row) for row in db.execute(query, (artifact_id,))]
    return [member for member in found if not privacy.hides_collection(db, member.collection_id)]


def versions_of(db: sqlite3.Connection, collection_id: int) -> list[Membership]:
    """List a collection's versions, the newest first."""
    query = "SELECT * FROM artifact_memberships WHERE collection_id = ? ORDER BY version DESC"
    return [Membership(*row) for row in db.execute(query, (collection_id,))]


def with_version(db: sqlite3.Connection, collection_id: int, number: int) -> Membership | None:
    """Find a version of a collection by its number."""
    query = "SELECT * FROM artifact_memberships WHERE collection_id = ? AND version = ?"
    row = db.execute(query, (collection_id, number)).fetchone()
    return Membership(*row) if row else None


def with_alias(db: sqlite3.Connection, collection_id: int, alias: str) -> Membership | None:
    """Find the version of a collection that has an alias."""
    query = (
        "SELECT m.* FROM artifact_memberships m JOIN artifact_aliases a"
        " ON a.collection_id = m.collection_id AND a.artifact_id = m.artifact_id"
        " WHERE a.collection_id = ? AND a.alias = ?"
    )
    row = db.execute(query, (collection_id, alias)).fetchone()
    return Membership(*row) if row else None


def aliases_of(db: sqlite3.Connection, artifact_id: int) -> list[tuple[int, str]]:
    """List an artifact's aliases, each with the id of its collection."""
    query = "SELECT collection_id, alias FROM artifact_aliases WHERE artifact_id = ? ORDER BY collection_id, alias"
    return [tuple(row) for row in db.execute(query, (artifact_id,))]


def aliases_seen(db: sqlite3.Connection, artifact_id: int) -> list[tuple[int, str]]:
    """List an artifact's aliases in the collections that are there for who asks."""
    return [found for found in aliases_of(db, artifact_id) if not privacy.hides_collection(db, found[0])]


def aliases_in(db: sqlite3.Connection, collection_id: int) -> list[str]:
    """List the aliases of a collection."""
    query = "SELECT alias FROM artifact_aliases WHERE collection_id = ? ORDER BY alias"
    return [row["alias"] for row in db.execute(query, (collection_id,))]


def set_aliases(db: sqlite3.Connection, collection_id: int, artifact_id: int, aliases: list[str]) -> None:
    """Point aliases at an artifact; an alias belongs to one version of a collection, so the one before loses it."""
    rows = [(collection_id, alias, artifact_id) for alias in aliases]
    db.executemany("INSERT OR REPLACE INTO artifact_aliases VALUES (?, ?, ?)", rows)


def take_aliases(db: sqlite3.Connection, collection_id: int, artifact_id: int, aliases: list[str]) -> None:
    """Take aliases from an artifact."""
    query = "DELETE FROM artifact_aliases WHERE collection_id = ? AND artifact_id = ? AND alias = ?"
    db.executemany(query, [(collection_id, artifact_id, alias) for alias in aliases])


def leave(db: sqlite3.Connection, collection_id: int, artifact_id: int) -> None:
    """Take an artifact out of a collection, with its aliases there."""
    # no reference ties an alias to its membership: both refer to the collection and the artifact
    for table in ("artifact_aliases", "artifact_memberships"):
        query = f"DELETE FROM {table} WHERE collection_id = ? AND artifact_id = ?"  # noqa: S608 - names of ours
        db.execute(query, (collection_id, artifact_id))
