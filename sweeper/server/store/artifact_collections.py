"""Artifacts in the database: collections, their versions, aliases, and who made and used what."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass

from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.store.database import Connection

SEQUENCE, PORTFOLIO = "ArtifactSequence", "ArtifactPortfolio"
"""Kinds of collections, named as GraphQL's types: versions logged under a name, versions linked to a name."""
PENDING, COMMITTED = "PENDING", "COMMITTED"
INPUT, OUTPUT = "input", "output"
LATEST = "latest"
_VERSION = re.compile(r"v(0|[1-9][0-9]{0,17})\Z")
_NAME = re.compile(r"[^\x00-\x1f\x7f/:\ud800-\udfff]{1,128}\Z")


@dataclass(frozen=True, slots=True)
class Collection:
    """A named row of artifact versions."""

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
class Artifact:
    """An artifact as stored; `tags` and `asked_aliases` are JSON, `manifest` is a hexadecimal MD5."""

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


@dataclass(frozen=True, slots=True)
class Membership:
    """An artifact as one version of a collection."""

    collection_id: int
    version: int
    artifact_id: int
    created_at: float


def check_word(word: str, what: str) -> str:
    """Give back a name, type or alias that an address such as `name:alias` can hold.

    Raises:
        RequestError: It cannot.
    """
    if word in {".", ".."} or not _NAME.match(word):
        raise RequestError(f"{word!r} cannot be {what}: use 1-128 characters without / and :")
    return word


def version_of(alias: str) -> int | None:
    """Read an alias that names a version, as `v3`."""
    found = _VERSION.match(alias)
    return int(found[1]) if found else None


def check_alias(alias: str) -> str:
    """Give back an alias that may be given to an artifact.

    Raises:
        RequestError: It may not.
    """
    if version_of(check_word(alias, "an alias")) is not None:
        raise RequestError(f"{alias!r} cannot be given as an alias: it names a version")
    return alias


def ensure_collection(
    db: Connection, project_id: int, name: str, kind: str, artifact_type: str, *, now: float
) -> Collection:
    """Find a collection of a project, made if it is not there.

    Raises:
        RequestError: The name is one of another kind or type, or cannot be one.
    """
    check_word(name, "the name of an artifact")
    check_word(artifact_type, "an artifact's type")
    db.execute(
        "INSERT OR IGNORE INTO artifact_collections (project_id, name, kind, type, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (project_id, name, kind, artifact_type, now, now),
    )
    found = find_collection(db, project_id, name)
    if found is None or (found.kind, found.type) != (kind, artifact_type):
        known = f"a {found.kind} of type {found.type!r}" if found else "gone"
        raise RequestError(f"the artifact collection {name!r} is {known}, not a {kind} of type {artifact_type!r}")
    return found


def find_collection(db: Connection, project_id: int, name: str) -> Collection | None:
    """Find a collection by name."""
    query = "SELECT * FROM artifact_collections WHERE project_id = ? AND name = ?"
    row = db.execute(query, (project_id, name)).fetchone()
    return Collection(*row) if row else None


def get_collection(db: Connection, collection_id: int) -> Collection:
    """Fetch a collection.

    Raises:
        NotFoundError: It is gone.
    """
    row = db.execute("SELECT * FROM artifact_collections WHERE id = ?", (collection_id,)).fetchone()
    if row is None:
        raise NotFoundError("this artifact collection is not, or no longer, here")
    return Collection(*row)


def collections_of(db: Connection, project_id: int, artifact_type: str | None = None) -> list[Collection]:
    """List a project's collections, or those of one type, the newest first; not those that never had a version."""
    query = (
        "SELECT * FROM artifact_collections WHERE project_id = :project AND (:type IS NULL OR type = :type)"
        " AND next_version > 0 ORDER BY id DESC"
    )
    return [Collection(*row) for row in db.execute(query, {"project": project_id, "type": artifact_type})]


def types_of(db: Connection, project_id: int) -> list[tuple[str, float]]:
    """List the types of a project's artifacts, each with the time it was first used, the oldest first."""
    query = "SELECT type, min(created_at) AS since FROM artifact_collections WHERE project_id = ? AND next_version > 0"
    return [tuple(row) for row in db.execute(f"{query} GROUP BY type ORDER BY since, type", (project_id,))]


def update_collection(db: Connection, collection_id: int, *, now: float, **columns: object) -> Collection:
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
    return get_collection(db, collection_id)


def get(db: Connection, artifact_id: int) -> Artifact:
    """Fetch an artifact.

    Raises:
        NotFoundError: It is gone.
    """
    row = db.execute("SELECT * FROM artifacts WHERE id = ?", (artifact_id,)).fetchone()
    if row is None:
        raise NotFoundError("this artifact is not, or no longer, here")
    return Artifact(*row)


def update(db: Connection, artifact_id: int, *, now: float, **columns: object) -> Artifact:
    """Set columns of an artifact."""
    assignments = ", ".join(f"{column} = ?" for column in (*columns, "updated_at"))
    query = f"UPDATE artifacts SET {assignments} WHERE id = ?"  # noqa: S608 - names of ours
    db.execute(query, (*columns.values(), now, artifact_id))
    return get(db, artifact_id)


def create(
    db: Connection, collection: Collection, digest: str, *, now: float, user_id: int, **columns: object
) -> Artifact:
    """Store a new artifact that waits for its files."""
    query = "INSERT INTO artifacts (collection_id, user_id, digest, created_at, updated_at) VALUES (?, ?, ?, ?, ?)"
    cursor = db.execute(query, (collection.id, user_id, digest, now, now))
    return update(db, int(cursor.lastrowid or 0), now=now, **columns)


def of_client(db: Connection, client_id: str) -> int | None:
    """Find an artifact by what its client called it."""
    row = db.execute("SELECT artifact_id FROM artifact_clients WHERE client_id = ?", (client_id,)).fetchone()
    return row["artifact_id"] if row else None


def remember_client(db: Connection, client_id: str, artifact_id: int) -> None:
    """Note what a client calls an artifact."""
    db.execute("INSERT OR IGNORE INTO artifact_clients VALUES (?, ?)", (client_id, artifact_id))


def same_content(db: Connection, collection: Collection, digest: str) -> Artifact | None:
    """Find the newest committed artifact of a sequence with a digest."""
    query = "SELECT * FROM artifacts WHERE collection_id = ? AND digest = ? AND state = ? ORDER BY id DESC LIMIT 1"
    row = db.execute(query, (collection.id, digest, COMMITTED)).fetchone()
    return Artifact(*row) if row else None


def in_progress(db: Connection, collection: Collection, distributed_id: str) -> Artifact | None:
    """Find the artifact that several runs are filling."""
    query = "SELECT * FROM artifacts WHERE collection_id = ? AND distributed_id = ? AND state = ?"
    row = db.execute(query, (collection.id, distributed_id, PENDING)).fetchone()
    return Artifact(*row) if row else None


def enrol(db: Connection, collection: Collection, artifact_id: int, *, now: float) -> Membership:
    """Make an artifact the next version of a collection, and the latest; one that is a version already stays it."""
    known = membership(db, collection.id, artifact_id)
    if known is None:
        number = db.execute(
            "UPDATE artifact_collections SET next_version = next_version + 1, updated_at = ? WHERE id = ?"
            " RETURNING next_version - 1",
            (now, collection.id),
        ).fetchone()[0]
        db.execute("INSERT INTO artifact_memberships VALUES (?, ?, ?, ?)", (collection.id, number, artifact_id, now))
        known = Membership(collection.id, number, artifact_id, now)
    give_aliases(db, collection.id, artifact_id, [LATEST])
    return known


def membership(db: Connection, collection_id: int, artifact_id: int) -> Membership | None:
    """Find an artifact in a collection."""
    query = "SELECT * FROM artifact_memberships WHERE collection_id = ? AND artifact_id = ?"
    row = db.execute(query, (collection_id, artifact_id)).fetchone()
    return Membership(*row) if row else None


def memberships_of(db: Connection, artifact_id: int) -> list[Membership]:
    """List the collections an artifact is in, its own first."""
    query = "SELECT * FROM artifact_memberships WHERE artifact_id = ? ORDER BY collection_id"
    return [Membership(*row) for row in db.execute(query, (artifact_id,))]


def versions_of(db: Connection, collection_id: int) -> list[Membership]:
    """List a collection's versions, the newest first."""
    query = "SELECT * FROM artifact_memberships WHERE collection_id = ? ORDER BY version DESC"
    return [Membership(*row) for row in db.execute(query, (collection_id,))]


def resolve(db: Connection, collection_id: int, alias: str) -> Membership | None:
    """Find a version of a collection by number (`v3`) or alias."""
    number = version_of(alias)
    if number is not None:
        query = "SELECT * FROM artifact_memberships WHERE collection_id = ? AND version = ?"
        row = db.execute(query, (collection_id, number)).fetchone()
        return Membership(*row) if row else None
    query = "SELECT artifact_id FROM artifact_aliases WHERE collection_id = ? AND alias = ?"
    row = db.execute(query, (collection_id, alias)).fetchone()
    return membership(db, collection_id, row["artifact_id"]) if row else None


def aliases_of(db: Connection, artifact_id: int) -> list[tuple[int, str]]:
    """List an artifact's aliases, each with the id of its collection."""
    query = "SELECT collection_id, alias FROM artifact_aliases WHERE artifact_id = ? ORDER BY collection_id, alias"
    return [tuple(row) for row in db.execute(query, (artifact_id,))]


def aliases_in(db: Connection, collection_id: int) -> list[str]:
    """List the aliases of a collection."""
    query = "SELECT alias FROM artifact_aliases WHERE collection_id = ? ORDER BY alias"
    return [row["alias"] for row in db.execute(query, (collection_id,))]


def give_aliases(db: Connection, collection_id: int, artifact_id: int, aliases: list[str]) -> None:
    """Give an artifact aliases; another version of the collection loses them.

    Raises:
        RequestError: One cannot be an alias.
    """
    rows = [(collection_id, check_alias(alias), artifact_id) for alias in aliases]
    db.executemany("INSERT OR REPLACE INTO artifact_aliases VALUES (?, ?, ?)", rows)


def take_aliases(db: Connection, collection_id: int, artifact_id: int, aliases: list[str]) -> None:
    """Take aliases from an artifact."""
    query = "DELETE FROM artifact_aliases WHERE collection_id = ? AND artifact_id = ? AND alias = ?"
    db.executemany(query, [(collection_id, artifact_id, alias) for alias in aliases])


def leave(db: Connection, collection_id: int, artifact_id: int) -> None:
    """Take an artifact out of a collection, with its aliases there."""
    for table in ("artifact_aliases", "artifact_memberships"):
        query = f"DELETE FROM {table} WHERE collection_id = ? AND artifact_id = ?"  # noqa: S608 - names of ours
        db.execute(query, (collection_id, artifact_id))


def of_sequence(db: Connection, collection_id: int) -> list[Artifact]:
    """List the artifacts logged to a collection, committed or not."""
    query = "SELECT * FROM artifacts WHERE collection_id = ? ORDER BY id"
    return [Artifact(*row) for row in db.execute(query, (collection_id,))]


def delete_collection(db: Connection, collection_id: int) -> None:
    """Delete a collection with everything in it."""
    db.execute("DELETE FROM artifact_collections WHERE id = ?", (collection_id,))


def note_run(db: Connection, artifact_id: int, run_id: int, role: str) -> None:
    """Note that a run made (`OUTPUT`) or used (`INPUT`) an artifact."""
    db.execute("INSERT OR IGNORE INTO artifact_runs VALUES (?, ?, ?)", (run_id, artifact_id, role))


def runs_of(db: Connection, artifact_id: int, role: str) -> list[int]:
    """List the runs that made or used an artifact, in that order."""
    query = "SELECT run_id FROM artifact_runs WHERE artifact_id = ? AND role = ? ORDER BY rowid"
    return [row["run_id"] for row in db.execute(query, (artifact_id, role))]


def of_run(db: Connection, run_id: int, role: str) -> list[Artifact]:
    """List the committed artifacts that a run made or used, in that order."""
    query = (
        "SELECT a.* FROM artifacts a JOIN artifact_runs r ON r.artifact_id = a.id"
        " WHERE r.run_id = ? AND r.role = ? AND a.state = ? ORDER BY r.rowid"
    )
    return [Artifact(*row) for row in db.execute(query, (run_id, role, COMMITTED))]


def changed_tags(tags: str, add: list[str], remove: list[str]) -> str:
    """Change a JSON list of tags."""
    kept = [tag for tag in json.loads(tags) if tag not in remove]
    return json.dumps(list(dict.fromkeys([*kept, *add])))
