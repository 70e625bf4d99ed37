"""What the pages list: projects with what is in them, runs outside sweeps, runs at work, and what a name may mean.

Columns that lie behind a run's config and summary are read of few rows only: of a million runs those texts are most.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from sweeper.server.store import privacy

SEARCHED_RUNS = 20_000
"""The latest runs, whose names are looked through; an id is found whatever its age."""
_AT_WORK = "('running', 'preempting')"


class LooseRun(NamedTuple):
    """A run that no sweep made, or one that is at work, as a list shows it."""

    name: str
    display_name: str
    state: str
    group_name: str | None
    job_type: str | None
    reason: str
    created_at: float
    duration_s: float | None
    heard_at: float
    entity: str
    project: str


class Named(NamedTuple):
    """What a name may mean.

    Attributes:
        entity: Where it is.
        project: The project, or that in which it is.
        id: Its id; of a project, its name.
        name: What people call it.
        state: Its state; empty for a project.
        within: Of a run, the id of its sweep, or empty.
    """

    entity: str
    project: str
    id: str
    name: str
    state: str = ""
    within: str = ""


_LOOSE = (
    "SELECT r.name, r.display_name, r.state, r.group_name, r.job_type, r.reason, r.created_at,"
    " coalesce(r.ended_at, r.heartbeat_at) - r.started_at, r.heartbeat_at, p.entity, p.name"
    " FROM runs r JOIN projects p ON p.id = r.project_id"
)


_SEEN = "p.id NOT IN (SELECT value FROM json_each(:unseen))"
# instr, not LIKE: what was typed may hold a % of its own
_FIND_PROJECTS = f"""
SELECT p.entity, p.name, p.name, p.name FROM projects p
WHERE {_SEEN} AND instr(lower(p.entity || '/' || p.name), lower(:words)) ORDER BY p.id DESC LIMIT :limit
"""  # noqa: S608 - texts of ours
_FIND_SWEEPS = f"""
SELECT p.entity, p.name, s.name, coalesce(s.display_name, s.name), lower(s.state)
FROM sweeps s JOIN projects p ON p.id = s.project_id
WHERE {_SEEN} AND instr(lower(s.name || ' ' || coalesce(s.display_name, '')), lower(:words))
ORDER BY s.id DESC LIMIT :limit
"""  # noqa: S608 - texts of ours
_FIND_RUNS = f"""
WITH latest AS (SELECT id, name, display_name FROM runs ORDER BY id DESC LIMIT :searched),
found(id) AS (
    SELECT id FROM latest WHERE instr(lower(name || ' ' || display_name), lower(:words))
    UNION SELECT id FROM runs WHERE project_id IN (SELECT id FROM projects) AND name = :id
)
SELECT p.entity, p.name, r.name, r.display_name, r.state, coalesce(s.name, '')
FROM found f CROSS JOIN runs r ON r.id = f.id JOIN projects p ON p.id = r.project_id
LEFT JOIN sweeps s ON s.id = r.sweep_id
WHERE {_SEEN} AND NOT r.offered ORDER BY r.name <> :id, r.id DESC LIMIT :limit
"""  # noqa: S608 - texts of ours


def loose_runs(db: sqlite3.Connection, project_id: int, limit: int) -> list[LooseRun]:
    """List the latest runs of a project that no sweep made."""
    query = f"{_LOOSE} WHERE r.project_id = ? AND r.sweep_id IS NULL ORDER BY r.id DESC LIMIT ?"
    return [LooseRun(*row) for row in db.execute(query, (project_id, limit))]


def loose_at_work(db: sqlite3.Connection, limit: int) -> list[LooseRun]:
    """List the latest runs outside sweeps that are at work."""
    query = f"{_LOOSE} WHERE r.state IN {_AT_WORK} AND r.sweep_id IS NULL ORDER BY r.id DESC LIMIT ?"
    found = [LooseRun(*row) for row in db.execute(query, (limit + 100,))]
    hidden = _hidden_names(db)
    return [run for run in found if (run.entity, run.project) not in hidden][:limit]


def _hidden_names(db: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    unseen = privacy.hidden(db)
    if not unseen:
        return frozenset()
    query = "SELECT entity, name FROM projects WHERE id IN (SELECT value FROM json_each(?))"
    return frozenset((row[0], row[1]) for row in db.execute(query, (json.dumps([*unseen]),)))


def loose_counts(db: sqlite3.Connection) -> dict[int, tuple[int, float]]:
    """Count the runs of each project that no sweep made, and give when the latest was made."""
    query = "SELECT project_id, count(*), max(created_at) FROM runs WHERE sweep_id IS NULL GROUP BY project_id"
    return {row[0]: (row[1], row[2]) for row in db.execute(query)}


def compute_times(db: sqlite3.Connection, sweep_ids: Collection[int]) -> dict[int, float]:
    """Add up for how long the runs of sweeps have run, in seconds."""
    query = (
        "SELECT sweep_id, sum(coalesce(ended_at, heartbeat_at) - started_at) FROM runs"
        " WHERE sweep_id IN (SELECT value FROM json_each(?)) AND started_at IS NOT NULL AND NOT offered"
        " GROUP BY sweep_id"
    )
    return dict(db.execute(query, (json.dumps([*sweep_ids]),)).fetchall())


def agents_at_work(db: sqlite3.Connection, since: float) -> tuple[int, int]:
    """Count the agents that were heard since a time, and their machines; none of a project hidden from who asks."""
    query = (
        "SELECT count(*), count(DISTINCT a.host) FROM agents a JOIN sweeps s ON s.id = a.sweep_id"
        " WHERE a.heartbeat_at >= ? AND s.project_id NOT IN (SELECT value FROM json_each(?))"
    )
    agents, hosts = db.execute(query, (since, json.dumps([*privacy.hidden(db)]))).fetchone()
    return agents, hosts


def run_states(db: sqlite3.Connection) -> dict[str, int]:
    """Count the runs of the server by state, but those of projects hidden from who asks."""
    if unseen := privacy.hidden(db):
        query = (
            "SELECT state, count(*) FROM runs WHERE project_id NOT IN (SELECT value FROM json_each(?)) GROUP BY state"
        )
        return dict(db.execute(query, (json.dumps([*unseen]),)).fetchall())
    # from an index alone: of a million runs the rows are long
    return dict(db.execute("SELECT state, count(*) FROM runs GROUP BY state").fetchall())


def find(db: sqlite3.Connection, words: str, limit: int) -> tuple[list[Named], list[Named], list[Named]]:
    """Find the projects, sweeps and runs whose name or id holds some words, of each sort the latest.

    Args:
        db: A connection.
        words: What was typed; upper and lower case are one.
        limit: How many of each sort.
    """
    unseen = json.dumps([*privacy.hidden(db)])
    given = {"unseen": unseen, "words": words, "id": words.strip(), "limit": limit, "searched": SEARCHED_RUNS}
    places, sweeps, found = (
        [Named(*row) for row in db.execute(query, given)] for query in (_FIND_PROJECTS, _FIND_SWEEPS, _FIND_RUNS)
    )
    return places, sweeps, found
