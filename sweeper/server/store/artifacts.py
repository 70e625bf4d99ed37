"""Artifacts in the database, and which runs made and used them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from sweeper.server.errors import NotFoundError
from sweeper.server.store import privacy
from sweeper.server.store.artifact_collections import Collection

PENDING, COMMITTED = "PENDING", "COMMITTED"
INPUT, OUTPUT = "input", "output"
MAX_TTL_S = 999_999_999 * 86_400
"""Seconds of the longest time to live: what Python's timedelta holds, in which the SDK (0.31.0) gives it out."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact as stored; `tags` and `asked_aliases` are JSON, `manifest` is a hexadecimal MD5.

    `ttl_s` is what was asked for, -2 for no expiry, None where nothing was; `expires_at` is what comes of it.
    """

    # the table's columns in their order: rows are unpacked as they come

    id: int
    collection_id: int
    user_id: int | None
    digest: str
    state: str
    distributed_id: str | None
    description: str | None
    metadata: str | None
    tags: str
    asked_aliases: str
    ttl_s: int | None
    history_step: int | None
    size: int
    file_count: int
    manifest: str
    created_at: float
    updated_at: float
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Version:
    """An artifact as a version of a collection, with its aliases there."""

    number: int
    aliases: list[str]
    artifact: Artifact


def get(db: sqlite3.Connection, artifact_id: int) -> Artifact:
    """Fetch an artifact.

    Raises:
        NotFoundError: It is gone, or hidden from who asks.
    """
    row = db.execute("SELECT * FROM artifacts WHERE id = ?", (artifact_id,)).fetchone()
    if row is None or privacy.hides_artifact(db, artifact_id):
        raise NotFoundError("this artifact is not, or no longer, here")
    return Artifact(*row)


def was_deleted(db: sqlite3.Connection, artifact_id: int) -> bool:
    """Whether there was an artifact of an id, which is gone: ids are counted up and none is given out twice."""
    # one that is hidden is gone too: of the ids that were given out it would be the only one neither there nor gone
    given = db.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'artifacts' AND seq >= ?", (artifact_id,)).fetchone()
    return given is not None and (not exists(db, artifact_id) or privacy.hides_artifact(db, artifact_id))


def update(db: sqlite3.Connection, artifact_id: int, *, now: float, **columns: object) -> Artifact:
    """Set columns of an artifact."""
    assignments = ", ".join(f"{column} = ?" for column in (*columns, "updated_at"))
    query = f"UPDATE artifacts SET {assignments} WHERE id = ?"  # noqa: S608 - names of ours
    db.execute(query, (*columns.values(), now, artifact_id))
    return get(db, artifact_id)


def create(
    db: sqlite3.Connection, collection: Collection, digest: str, *, now: float, user_id: int, **columns: object
) -> Artifact:
    """Store a new artifact that waits for its files."""
    query = "INSERT INTO artifacts (collection_id, user_id, digest, created_at, updated_at) VALUES (?, ?, ?, ?, ?)"
    cursor = db.execute(query, (collection.id, user_id, digest, now, now))
    return update(db, int(cursor.lastrowid or 0), now=now, **columns)


def of_client(db: sqlite3.Connection, client_id: str) -> int | None:
    """Find an artifact by what its client called it."""
    row = db.execute("SELECT artifact_id FROM artifact_clients WHERE client_id = ?", (client_id,)).fetchone()
    return row["artifact_id"] if row and not privacy.hides_artifact(db, row["artifact_id"]) else None


def remember_client(db: sqlite3.Connection, client_id: str, artifact_id: int) -> None:
    """Note what a client calls an artifact."""
    # OR IGNORE: the first use of a name counts, a request sent again must find the same artifact
    db.execute("INSERT OR IGNORE INTO artifact_clients VALUES (?, ?)", (client_id, artifact_id))


def same_content(db: sqlite3.Connection, collection: Collection, digest: str) -> Artifact | None:
    """Find the newest committed artifact of a sequence with a digest."""
    query = "SELECT * FROM artifacts WHERE collection_id = ? AND digest = ? AND state = ? ORDER BY id DESC LIMIT 1"
    row = db.execute(query, (collection.id, digest, COMMITTED)).fetchone()
    return Artifact(*row) if row else None


def in_progress(db: sqlite3.Connection, collection: Collection, distributed_id: str) -> Artifact | None:
    """Find the artifact that several runs are filling."""
    query = "SELECT * FROM artifacts WHERE collection_id = ? AND distributed_id = ? AND state = ?"
    row = db.execute(query, (collection.id, distributed_id, PENDING)).fetchone()
    return Artifact(*row) if row else None


def of_sequence(db: sqlite3.Connection, collection_id: int) -> list[Artifact]:
    """List the artifacts logged to a collection, committed or not."""
    query = "SELECT * FROM artifacts WHERE collection_id = ? ORDER BY id"
    return [Artifact(*row) for row in db.execute(query, (collection_id,))]


def owners(db: sqlite3.Connection, collection_id: int) -> list[int | None]:
    """List whose the artifacts are that were logged or linked to a collection."""
    linked = "SELECT artifact_id FROM artifact_memberships WHERE collection_id = :id"
    query = f"SELECT DISTINCT user_id FROM artifacts WHERE collection_id = :id OR id IN ({linked})"  # noqa: S608
    return [row["user_id"] for row in db.execute(query, {"id": collection_id})]


def exists(db: sqlite3.Connection, artifact_id: int) -> bool:
    """Tell whether an artifact is there, committed or not."""
    return db.execute("SELECT 1 FROM artifacts WHERE id = ?", (artifact_id,)).fetchone() is not None


def delete(db: sqlite3.Connection, artifact_id: int) -> None:
    """Delete an artifact with its files, versions, aliases and links to runs; contents on disk stay."""
    db.execute("DELETE FROM artifacts WHERE id = ?", (artifact_id,))


def delete_pending(db: sqlite3.Connection, *, before: float) -> None:
    """Delete the artifacts that were never committed and have not been changed since a time."""
    db.execute("DELETE FROM artifacts WHERE state = ? AND updated_at < ?", (PENDING, before))


def next_expired(db: sqlite3.Connection, now: float) -> Artifact | None:
    """Find the committed artifact that expired first, if one has."""
    query = (
        "SELECT * FROM artifacts WHERE expires_at IS NOT NULL AND expires_at <= ? AND state = ?"
        " ORDER BY expires_at, id LIMIT 1"
    )
    row = db.execute(query, (now, COMMITTED)).fetchone()
    return Artifact(*row) if row else None


def note_run(db: sqlite3.Connection, artifact_id: int, run_id: int, role: str) -> None:
    """Note that a run made (`OUTPUT`) or used (`INPUT`) an artifact."""
    db.execute("INSERT OR IGNORE INTO artifact_runs VALUES (?, ?, ?)", (run_id, artifact_id, role))


def runs_of(db: sqlite3.Connection, artifact_id: int, role: str) -> list[int]:
    """List the runs that made or used an artifact and that are there for who asks, in that order."""
    query = (
        "SELECT a.run_id, r.project_id FROM artifact_runs a JOIN runs r ON r.id = a.run_id"
        " WHERE a.artifact_id = ? AND a.role = ? ORDER BY a.rowid"
    )
    unseen = privacy.hidden(db)
    return [row["run_id"] for row in db.execute(query, (artifact_id, role)) if row["project_id"] not in unseen]


def versions(db: sqlite3.Connection, collection_id: int) -> list[Version]:
    """List a collection's versions with what each of them is, the newest first."""
    named = "SELECT json_group_array(alias) FROM artifact_aliases l WHERE l.collection_id = m.collection_id"
    query = (
        f"SELECT m.version, ({named} AND l.artifact_id = a.id), a.* FROM artifact_memberships m"  # noqa: S608
        " JOIN artifacts a ON a.id = m.artifact_id WHERE m.collection_id = ? ORDER BY m.version DESC"
    )
    rows = db.execute(query, (collection_id,))
    return [Version(version, json.loads(aliases), Artifact(*rest)) for version, aliases, *rest in rows]


def of_run(db: sqlite3.Connection, run_id: int, role: str) -> list[Artifact]:
    """List the committed artifacts that a run made or used, in that order."""
    query = (
        "SELECT a.* FROM artifacts a JOIN artifact_runs r ON r.artifact_id = a.id"
        " WHERE r.run_id = ? AND r.role = ? AND a.state = ? ORDER BY r.rowid"
    )
    return [Artifact(*row) for row in db.execute(query, (run_id, role, COMMITTED))]
