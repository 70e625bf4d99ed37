"""Files and manifests of artifacts in the database, and which contents on disk they need."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from sweeper.server.errors import NotFoundError
from sweeper.server.store import privacy


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """A file of an artifact: one whose content is here (`md5`, hexadecimal) or a reference."""

    path: str
    md5: str
    size: int
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as announced: `md5` is hexadecimal, and empty until the client has written it."""

    id: int
    artifact_id: int
    type: str
    base_id: int | None
    md5: str


@dataclass(frozen=True, slots=True)
class Content:
    """What must lie on disk for a committed artifact.

    Attributes:
        artifact_id: The artifact.
        project_id: Its project.
        md5: The MD5, hexadecimal.
        size: Bytes, as the client said; None for a manifest, whose size nobody says.
        name: What it is, for users.
    """

    artifact_id: int
    project_id: int
    md5: str
    size: int | None
    name: str


def announce(db: sqlite3.Connection, artifact_id: int, file: ArtifactFile) -> None:
    """Note that a file is about to be uploaded: what it holds is kept from now on."""
    query = "INSERT OR REPLACE INTO artifact_files VALUES (?, ?, ?, ?, ?)"
    db.execute(query, (artifact_id, file.path, file.md5, file.size, file.reference))


def replace_all(db: sqlite3.Connection, artifact_id: int, files: Iterable[ArtifactFile]) -> None:
    """Set the files of an artifact."""
    db.execute("DELETE FROM artifact_files WHERE artifact_id = ?", (artifact_id,))
    rows = ((artifact_id, file.path, file.md5, file.size, file.reference) for file in files)
    db.executemany("INSERT INTO artifact_files VALUES (?, ?, ?, ?, ?)", rows)


def announced(db: sqlite3.Connection, artifact_id: int) -> set[str]:
    """Give the contents that an artifact keeps."""
    return {row["md5"] for row in db.execute("SELECT md5 FROM artifact_files WHERE artifact_id = ?", (artifact_id,))}


def page(db: sqlite3.Connection, artifact_id: int, *, after: str, limit: int) -> list[ArtifactFile]:
    """List files by path, from behind a path on."""
    query = (
        "SELECT path, md5, size, reference FROM artifact_files WHERE artifact_id = ? AND path > ? ORDER BY path LIMIT ?"
    )
    return [ArtifactFile(*row) for row in db.execute(query, (artifact_id, after, limit))]


def named(db: sqlite3.Connection, artifact_id: int, names: Iterable[str]) -> list[ArtifactFile]:
    """List the files with these paths, by path."""
    query = "SELECT path, md5, size, reference FROM artifact_files WHERE artifact_id = ? AND path = ?"
    rows = [db.execute(query, (artifact_id, name)).fetchone() for name in sorted(set(names))]
    return [ArtifactFile(*row) for row in rows if row is not None]


def contents_of(db: sqlite3.Connection, artifact_id: int) -> set[str]:
    """Give the MD5s of everything that an artifact needs on disk."""
    query = (
        "SELECT md5 FROM artifact_files WHERE artifact_id = :id UNION SELECT manifest FROM artifacts WHERE id = :id"
        " UNION SELECT md5 FROM artifact_manifests WHERE artifact_id = :id"
    )
    return {row[0] for row in db.execute(query, {"id": artifact_id})} - {""}


def committed(db: sqlite3.Connection) -> list[Content]:
    """List what committed artifacts hold, and their manifests."""
    query = """
        WITH whole AS (
            SELECT a.id, c.project_id, a.manifest,
                p.entity || '/' || p.name || '/' || c.name || ':v' || m.version AS name
            FROM artifacts a JOIN artifact_collections c ON c.id = a.collection_id
            JOIN projects p ON p.id = c.project_id
            LEFT JOIN artifact_memberships m ON m.collection_id = c.id AND m.artifact_id = a.id
            WHERE a.state = 'COMMITTED')
        SELECT id, project_id, manifest, NULL, coalesce(name, 'artifact ' || id) || ' (manifest)' FROM whole
        UNION ALL SELECT w.id, w.project_id, f.md5, f.size, coalesce(w.name, 'artifact ' || w.id) || '/' || f.path
            FROM whole w JOIN artifact_files f ON f.artifact_id = w.id WHERE f.md5 <> ''"""
    return [Content(*row) for row in db.execute(query)]


def all_contents(db: sqlite3.Connection) -> list[tuple[int, str]]:
    """List what artifacts, committed or not, hold or will hold: project and MD5, each once."""
    query = """
        SELECT DISTINCT c.project_id, n.md5 FROM (SELECT artifact_id, md5 FROM artifact_files
            UNION ALL SELECT id, manifest FROM artifacts UNION ALL SELECT artifact_id, md5 FROM artifact_manifests) n
        JOIN artifacts a ON a.id = n.artifact_id JOIN artifact_collections c ON c.id = a.collection_id
        WHERE n.md5 <> '' ORDER BY 1, 2"""
    return [(project_id, md5) for project_id, md5 in db.execute(query)]


def total_bytes(db: sqlite3.Connection) -> int:
    """Add up the sizes of what artifacts hold, each content once; manifests, whose sizes nobody says, are left out."""
    # total, not sum: clients say sizes as they like, and a sum of integers beyond 64 bits is an error to SQLite
    query = "SELECT total(size) FROM (SELECT DISTINCT md5, size FROM artifact_files WHERE md5 <> '')"
    return int(db.execute(query).fetchone()[0])


def needed(db: sqlite3.Connection, project_id: int, md5: str) -> bool:
    """Tell whether an artifact of a project, committed or not, needs a content."""
    # three looks into three indexes by MD5: a deletion asks this of every content that it lets go
    query = (
        "SELECT 1 FROM (SELECT artifact_id FROM artifact_files WHERE md5 = :md5"
        " UNION ALL SELECT id FROM artifacts WHERE manifest = :md5"
        " UNION ALL SELECT artifact_id FROM artifact_manifests WHERE md5 = :md5) n"
        " JOIN artifacts a ON a.id = n.artifact_id JOIN artifact_collections c ON c.id = a.collection_id"
        " WHERE c.project_id = :project LIMIT 1"
    )
    return db.execute(query, {"project": project_id, "md5": md5}).fetchone() is not None


def add_manifest(db: sqlite3.Connection, artifact_id: int, kind: str, base_id: int | None, md5: str) -> Manifest:
    """Note a manifest that will be uploaded."""
    query = "INSERT INTO artifact_manifests (artifact_id, type, base_id, md5) VALUES (?, ?, ?, ?) RETURNING *"
    return Manifest(*db.execute(query, (artifact_id, kind, base_id, md5)).fetchone())


def set_manifest(db: sqlite3.Connection, manifest_id: int, md5: str) -> Manifest:
    """Note what a manifest will hold.

    Raises:
        NotFoundError: There is no such manifest.
    """
    query = "UPDATE artifact_manifests SET md5 = ? WHERE id = ? RETURNING *"
    row = db.execute(query, (md5, manifest_id)).fetchone()
    if row is None or privacy.hides_artifact(db, row["artifact_id"]):
        raise NotFoundError("this manifest is not, or no longer, here")
    return Manifest(*row)


def manifests_of(db: sqlite3.Connection, artifact_id: int) -> list[Manifest]:
    """List an artifact's manifests, the oldest first."""
    query = "SELECT * FROM artifact_manifests WHERE artifact_id = ? AND md5 <> '' ORDER BY id"
    return [Manifest(*row) for row in db.execute(query, (artifact_id,))]
