"""Versions of artifacts as pages list them: each with its names, its aliases and what it holds, in one query."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from sweeper.run import RunState
from sweeper.server.store import privacy
from sweeper.server.store.artifacts import COMMITTED

MOST = 1000
"""Versions, or runs, that one list has."""

_LISTED = """
SELECT c.project_id, a.id, p.entity, p.name, c.type, c.name, m.version, a.size, a.file_count, m.created_at,
    (SELECT json_group_array(l.alias) FROM artifact_aliases l WHERE l.collection_id = c.id AND l.artifact_id = a.id),
    c.next_version
FROM {source} JOIN artifact_collections c ON c.id = m.collection_id JOIN projects p ON p.id = c.project_id
WHERE a.state = :committed AND {where} LIMIT :most
"""
_VERSIONS = "artifact_memberships m JOIN artifacts a ON a.id = m.artifact_id"
_OF_RUN = (
    "artifact_runs r JOIN artifacts a ON a.id = r.artifact_id"
    " JOIN artifact_memberships m ON m.artifact_id = a.id AND m.collection_id = a.collection_id"
)


@dataclass(frozen=True, slots=True)
class ArtifactVersion:
    """A version of an artifact; `count` is how many versions its name has had."""

    id: int
    entity: str
    project: str
    type: str
    name: str
    version: int
    size: int
    file_count: int
    created_at: float
    aliases: tuple[str, ...]
    count: int

    @property
    def label(self) -> str:
        """Its name as `use_artifact` takes it, without entity and project."""
        return f"{self.name}:v{self.version}"


@dataclass(frozen=True, slots=True)
class RunAround:
    """A run that made or used an artifact."""

    id: int
    entity: str
    project: str
    name: str
    display_name: str
    state: RunState


def of_collection(db: sqlite3.Connection, collection_id: int) -> list[ArtifactVersion]:
    """List the versions of one name, the newest first."""
    return _list(db, _VERSIONS, "m.collection_id = :key ORDER BY m.version DESC", collection_id)


def newest_of_project(db: sqlite3.Connection, project_id: int) -> list[ArtifactVersion]:
    """List the newest version of each name of a project, by type and name."""
    newest = "SELECT max(version) FROM artifact_memberships n WHERE n.collection_id = c.id"
    return _list(db, _VERSIONS, f"c.project_id = :key AND m.version = ({newest}) ORDER BY c.type, c.name", project_id)


def of_run(db: sqlite3.Connection, run_id: int, role: str) -> list[ArtifactVersion]:
    """List what a run made (OUTPUT) or used (INPUT), in that order."""
    return _list(db, _OF_RUN, "r.run_id = :key AND r.role = :role ORDER BY r.rowid", run_id, role)


def runs_around(db: sqlite3.Connection, artifact_id: int, role: str) -> list[RunAround]:
    """List the runs that made (OUTPUT) or used (INPUT) an artifact, in that order."""
    query = (
        "SELECT r.project_id, r.id, p.entity, p.name, r.name, r.display_name, r.state FROM artifact_runs a"
        " JOIN runs r ON r.id = a.run_id JOIN projects p ON p.id = r.project_id"
        " WHERE a.artifact_id = ? AND a.role = ? ORDER BY a.rowid LIMIT ?"
    )
    unseen = privacy.hidden(db)
    rows = [[*row] for row in db.execute(query, (artifact_id, role, MOST)) if row["project_id"] not in unseen]
    for row in rows:
        row[-1] = RunState(row[-1])
    return [RunAround(*row[1:]) for row in rows]


def _list(db: sqlite3.Connection, source: str, where: str, key: int, role: str = "") -> list[ArtifactVersion]:
    unseen = privacy.hidden(db)
    given = {"key": key, "role": role, "committed": COMMITTED, "most": MOST}
    found = db.execute(_LISTED.format(source=source, where=where), given)
    rows = [[*row] for row in found if row["project_id"] not in unseen]
    for row in rows:
        row[10] = tuple(json.loads(row[10]))
    return [ArtifactVersion(*row[1:]) for row in rows]
