"""Whether what a page shows has changed: a short mark of it, another one after whatever happens to it.

Each costs some index lookups, whatever the size of what was logged; of a sweep, one more for each run at work.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sweeper.server.store.runs import UNFINISHED

_UNFINISHED = ", ".join(f"'{state}'" for state in UNFINISHED)
_OF_SWEEP = "FROM runs INDEXED BY runs_of_sweep_by_state WHERE sweep_id"


class PageMark(NamedTuple):
    """What a page's subject was like at a moment.

    Attributes:
        text: Equal for equal states.
        at: When something last happened, in seconds since 1970; 0 for nothing yet.
    """

    text: str
    at: float


GONE = PageMark("gone", 0.0)
"""Of what was deleted."""


def _mark(facts: Collection[object], times: Iterable[float | None]) -> PageMark:
    return PageMark(json.dumps(list(facts)), max((at for at in times if at is not None), default=0.0))


def of_home(db: sqlite3.Connection) -> PageMark:
    """Mark all that a server has."""
    counts = db.execute("SELECT state, count(*) FROM runs GROUP BY state").fetchall()
    changed = db.execute("SELECT count(*), max(updated_at), total(updated_at) FROM sweeps").fetchone()
    places = db.execute("SELECT count(*), max(created_at) FROM projects").fetchone()
    # an ending or a start changes the counts or the last id, and what is at work is heard
    newest = db.execute("SELECT max(id), max(heartbeat_at) FROM runs WHERE state IN ('running', 'preempting')")
    run_id, heard = newest.fetchone()
    facts = [*map(tuple, counts), *changed, *places, run_id, heard]
    return _mark(facts, (changed[1], places[1], heard))


def of_project(db: sqlite3.Connection, project_id: int) -> PageMark:
    """Mark a project: its sweeps, and its runs outside of them."""
    query = "SELECT count(*), max(updated_at), total(updated_at) FROM sweeps WHERE project_id = ?"
    row = db.execute(query, (project_id,)).fetchone()
    within = "IN (SELECT id FROM sweeps WHERE project_id = :project)"
    counts = db.execute(
        f"SELECT state, count(*), max(ended_at) {_OF_SWEEP} {within} GROUP BY state", {"project": project_id}
    ).fetchall()
    query = f"SELECT max(heartbeat_at) {_OF_SWEEP} {within} AND state IN ({_UNFINISHED})"
    heard = db.execute(query, {"project": project_id}).fetchone()[0]
    query = "SELECT count(*), max(created_at), max(heartbeat_at), max(ended_at) FROM runs"
    loose = db.execute(f"{query} WHERE project_id = ? AND sweep_id IS NULL", (project_id,)).fetchone()
    facts = [*row, *map(tuple, counts), heard, *loose]
    return _mark(facts, (row[1], heard, *(count[2] for count in counts), *loose[1:]))


def of_sweep(db: sqlite3.Connection, sweep_id: int) -> PageMark:
    """Mark a sweep and its runs."""
    row = db.execute("SELECT state, updated_at, exhausted FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
    if row is None:
        return GONE
    query = f"SELECT state, count(*), max(ended_at) {_OF_SWEEP} = ? GROUP BY state"
    counts = db.execute(query, (sweep_id,)).fetchall()
    query = f"SELECT max(heartbeat_at), max(created_at) {_OF_SWEEP} = ? AND state IN ({_UNFINISHED})"
    heard = db.execute(query, (sweep_id,)).fetchone()
    prior = db.execute("SELECT count(*) FROM prior_runs WHERE sweep_id = ?", (sweep_id,)).fetchone()[0]
    facts = [*row, *map(tuple, counts), *heard, prior]
    return _mark(facts, (row["updated_at"], *heard, *(count[2] for count in counts)))


def of_runs(db: sqlite3.Connection, run_ids: Collection[int]) -> PageMark:
    """Mark some runs: their rows, their lines, and their files."""
    query = (
        "SELECT r.id, r.state, r.attempt, r.display_name, r.reason, r.stop_requested, r.heartbeat_at, r.ended_at,"
        " r.created_at, length(r.summary), length(r.config), r.notes, r.tags,"
        " (SELECT max(number) FROM lines l WHERE l.run_id = r.id AND l.stream = 'history') AS rows,"
        " (SELECT max(number) FROM lines l WHERE l.run_id = r.id AND l.stream = 'console') AS said,"
        " (SELECT max(number) FROM lines l WHERE l.run_id = r.id AND l.stream = 'events') AS measured,"
        " (SELECT max(updated_at) FROM files f WHERE f.run_id = r.id) AS filed"
        " FROM runs r WHERE r.id IN (SELECT value FROM json_each(?)) ORDER BY r.id"
    )
    found = db.execute(query, (json.dumps(sorted(run_ids)),)).fetchall()
    if not found:
        return GONE
    times = [row[name] for row in found for name in ("heartbeat_at", "ended_at", "created_at", "filed")]
    return _mark([tuple(row) for row in found], times)
