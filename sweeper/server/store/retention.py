"""What the rules ask about sweeps that are over for long: which they are, and what others still need of them."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from sweeper.server.store import runs, sweeps
from sweeper.server.store.sweeps import Sweep

_ENDED = ", ".join(f"'{state}'" for state in runs.ENDED)
# of runs answered from the index runs_of_sweep_by_state alone
_OVER = (
    "s.state IN ('FINISHED', 'CANCELED') AND s.updated_at < :before AND NOT EXISTS ("  # noqa: S608
    f"SELECT 1 FROM runs r WHERE r.sweep_id = s.id AND (r.state NOT IN ({_ENDED}) OR r.ended_at >= :before))"
)
_GIVEN = "SELECT value FROM json_each(:runs)"
# one that another run has made as well goes with the last of them
_MADE = (
    f"o.role = 'output' AND o.run_id IN ({_GIVEN}) AND NOT EXISTS (SELECT 1 FROM artifact_runs x"  # noqa: S608
    f" WHERE x.artifact_id = o.artifact_id AND x.role = 'output' AND x.run_id NOT IN ({_GIVEN}))"
)

_USED = (
    (
        "SELECT o.run_id, 'run ' || r.name FROM artifact_runs o JOIN artifact_runs i ON i.artifact_id = o.artifact_id"  # noqa: S608
        f" AND i.role = 'input' AND i.run_id NOT IN ({_GIVEN}) JOIN runs r ON r.id = i.run_id WHERE {_MADE}"
    ),
    (
        "SELECT o.run_id, 'collection ' || c.name FROM artifact_runs o JOIN artifacts a ON a.id = o.artifact_id"  # noqa: S608
        " JOIN artifact_memberships m ON m.artifact_id = a.id AND m.collection_id <> a.collection_id"
        f" JOIN artifact_collections c ON c.id = m.collection_id WHERE {_MADE}"
    ),
    (
        "SELECT o.run_id, 'alias ' || l.alias FROM artifact_runs o JOIN artifact_aliases l"  # noqa: S608
        f" ON l.artifact_id = o.artifact_id AND l.alias <> 'latest' WHERE {_MADE}"
    ),
)


def over(db: sqlite3.Connection, project_ids: Collection[int], *, before: float, after: int, limit: int) -> list[Sweep]:
    """List sweeps that ended before a time, and all of whose runs did, behind a row id, the oldest first."""
    query = (
        f"SELECT s.* FROM sweeps s WHERE {_OVER} AND s.id > :after"  # noqa: S608
        " AND s.project_id IN (SELECT value FROM json_each(:projects)) ORDER BY s.id LIMIT :limit"
    )
    given = {"before": before, "after": after, "projects": json.dumps([*project_ids]), "limit": limit}
    return sweeps.selected(db, query, given)


def is_over(db: sqlite3.Connection, sweep_id: int, *, before: float) -> bool:
    """Whether a sweep is there that ended before a time, and all of whose runs did."""
    query = f"SELECT 1 FROM sweeps s WHERE s.id = :sweep AND {_OVER}"  # noqa: S608
    return db.execute(query, {"sweep": sweep_id, "before": before}).fetchone() is not None


def ended_at(db: sqlite3.Connection, sweep: Sweep) -> float:
    """Tell when a sweep ended, or its last run, whichever was later."""
    last = db.execute("SELECT max(ended_at) FROM runs WHERE sweep_id = ?", (sweep.id,)).fetchone()[0]
    return max(sweep.updated_at, last or 0.0)


def silent(db: sqlite3.Connection, project_ids: Collection[int], *, before: float) -> list[str]:
    """Name the sweeps that have not ended, and of which nothing was heard since a time, the oldest first."""
    query = (
        f"SELECT s.name FROM sweeps s WHERE s.state NOT IN ('FINISHED', 'CANCELED') AND s.updated_at < :before"  # noqa: S608
        " AND coalesce(s.heartbeat_at, 0) < :before AND s.project_id IN (SELECT value FROM json_each(:projects))"
        " AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.sweep_id = s.id"
        f" AND (r.state NOT IN ({_ENDED}) AND r.heartbeat_at >= :before OR r.ended_at >= :before)) ORDER BY s.id"
    )
    given = {"before": before, "projects": json.dumps([*project_ids])}
    return [name for (name,) in db.execute(query, given)]


def leaning(db: sqlite3.Connection, run_ids: Collection[int], *, before: float) -> Mapping[int, list[str]]:
    """Name the sweeps that learn from some runs and were not over by a time, by the rows of the runs."""
    query = (
        f"SELECT p.run_id, s.name FROM prior_runs p JOIN sweeps s ON s.id = p.sweep_id WHERE p.run_id IN ({_GIVEN})"  # noqa: S608
        f" AND NOT ({_OVER}) ORDER BY s.id"
    )
    return _by_run(db.execute(query, {"runs": json.dumps([*run_ids]), "before": before}))


def used(db: sqlite3.Connection, run_ids: Collection[int], address: Callable[[int], str]) -> Mapping[int, list[str]]:
    """Say for what the artifacts of some runs are still needed, by the rows of the runs: nothing if they are not.

    One is that another run uses, that a person has linked to a collection or has given an alias, or of which another
    artifact has files.

    Args:
        db: A connection.
        run_ids: The rows of the runs.
        address: Writes how references to an artifact's files begin, up to a slash.
    """
    given = {"runs": json.dumps([*run_ids])}
    found = [tuple(row) for query in _USED for row in db.execute(query, given)]
    outputs: dict[int, set[int]] = defaultdict(set)
    made = f"SELECT o.run_id, o.artifact_id FROM artifact_runs o WHERE {_MADE}"  # noqa: S608
    for run_id, artifact_id in db.execute(made, given):
        outputs[run_id].add(artifact_id)
    everything = set().union(*outputs.values())
    for run_id, own in outputs.items():
        found += [(run_id, f"artifact {name}") for one in own for name in _pointing_to(db, address(one), everything)]
    return _by_run(found)


def _pointing_to(db: sqlite3.Connection, address: str, but: Collection[int]) -> list[str]:
    """Name the collections of other artifacts with files that lie at an address."""
    query = (
        "SELECT f.artifact_id, c.name FROM artifact_files f JOIN artifacts a ON a.id = f.artifact_id"
        " JOIN artifact_collections c ON c.id = a.collection_id"
        " WHERE f.reference IS NOT NULL AND f.reference >= ? AND f.reference < ?"
    )
    rows = db.execute(query, (address, address[:-1] + "0"))  # which follows the slash
    return [name for other, name in rows if other not in but]


def _by_run(rows: Iterable[tuple[int, str]]) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for run_id, what in rows:
        if what not in found[run_id]:
            found[run_id].append(what)
    return found


def rows_of(db: sqlite3.Connection, run_ids: Collection[int]) -> int:
    """Count what some runs have logged, in lines."""
    query = f"SELECT count(*) FROM lines WHERE run_id IN ({_GIVEN})"  # noqa: S608
    number: int = db.execute(query, {"runs": json.dumps([*run_ids])}).fetchone()[0]
    return number


def may_confirm(db: sqlite3.Connection, project_ids: Collection[int]) -> list[Sweep]:
    """List the sweeps of some projects whose text may say that they confirm another one, the oldest first."""
    query = (
        "SELECT * FROM sweeps WHERE instr(definition, 'confirms ')"
        " AND project_id IN (SELECT value FROM json_each(:projects)) ORDER BY id"
    )
    return sweeps.selected(db, query, {"projects": json.dumps([*project_ids])})
