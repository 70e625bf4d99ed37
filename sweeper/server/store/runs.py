"""Runs in the database.

One that is only offered, handed to an agent that has not taken it up yet, is a run for the search and for nobody else:
what people and the SDK are shown leaves it out.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sweeper.run import RunState, StopDecision
from sweeper.server.names import check_name, new_id
from sweeper.server.store import attempts
from sweeper.server.store.filter_sql import Condition
from sweeper.server.store.sweeps import Sweep
from sweeper.space.parameter_space import params_key

# the states as queries write them; a test holds them against RunState
LIVE = ("running", "preempting")
ENDED = ("finished", "failed", "crashed", "killed")
UNFINISHED = ("pending", "running", "preempting", "preempted")
MAY_LEAD = "(r.state NOT IN ('failed', 'crashed', 'killed') OR (r.state = 'killed' AND r.stop <> ''))"
"""`sweeper.run.may_lead` as a condition on a run `r`."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as stored; JSON columns are text, times are seconds since 1970."""

    id: int
    project_id: int
    name: str
    display_name: str
    state: RunState
    sweep_id: int | None
    agent_id: int | None
    user_id: int | None
    params: str
    config: str
    summary: str
    history_keys: str
    description: str | None
    notes: str | None
    group_name: str | None
    job_type: str | None
    tags: str
    host: str | None
    program: str | None
    commit_hash: str | None
    sends: int
    accepted: int
    preempting: int
    stop_requested: int
    reason: str
    exit_code: int | None
    created_at: float
    started_at: float | None
    heartbeat_at: float
    ended_at: float | None
    stop: str
    origin: str
    params_key: bytes | None
    attempt: int
    resuming: int
    holder: str
    fenced: str
    stop_due: float
    losses: int
    lost_agent_id: int | None
    offered: int
    part: str
    beyond: int
    joins: str
    reached: int
    gap: str

    @property
    def live(self) -> bool:
        """Whether a process is believed to work on it."""
        return self.state in LIVE

    @property
    def unfinished(self) -> bool:
        """Whether its sweep waits for it."""
        return self.state in UNFINISHED

    @property
    def duration_s(self) -> float | None:
        """Seconds from its start to its end, or to its last sign of life."""
        return None if self.started_at is None else (self.ended_at or self.heartbeat_at) - self.started_at


# named, as migrations add columns anywhere, and then taken by their places: a name is searched for among forty
_ALL = ", ".join(field.name for field in fields(StoredRun))
_STATE = [field.name for field in fields(StoredRun)].index("state")
_STATES = {state.value: state for state in RunState}
_BY_ID = f"SELECT {_ALL} FROM runs WHERE id = ?"  # noqa: S608 - names of ours
_BY_NAME = f"SELECT {_ALL} FROM runs WHERE project_id = ? AND name = ?"  # noqa: S608 - names of ours


def _stored(row: sqlite3.Row) -> StoredRun:
    values = list(row)
    values[_STATE] = _STATES[values[_STATE]]
    return StoredRun(*values)


def find(db: sqlite3.Connection, project_id: int, name: str) -> StoredRun | None:
    """Find a run of a project by its id."""
    row = db.execute(_BY_NAME, (project_id, name)).fetchone()
    return _stored(row) if row else None


def get(db: sqlite3.Connection, run_id: int) -> StoredRun:
    """Fetch a run that is there."""
    return _stored(db.execute(_BY_ID, (run_id,)).fetchone())


def where(db: sqlite3.Connection, condition: str, values: tuple[object, ...]) -> list[StoredRun]:
    """List the runs for which an SQL condition of ours holds, the oldest first."""
    return [_stored(row) for row in db.execute(f"SELECT {_ALL} FROM runs WHERE {condition} ORDER BY id", values)]  # noqa: S608


def of_sweep(db: sqlite3.Connection, sweep_id: int) -> list[StoredRun]:
    """List a sweep's runs, the oldest first."""
    return where(db, "sweep_id = ?", (sweep_id,))


def seen_by(db: sqlite3.Connection, sweep_id: int) -> list[StoredRun]:
    """List a sweep's runs and the earlier ones attached to it, the oldest first."""
    condition = "sweep_id = ? OR id IN (SELECT run_id FROM prior_runs WHERE sweep_id = ?)"
    return where(db, condition, (sweep_id, sweep_id))


def page_seen_by(db: sqlite3.Connection, sweep_id: int, *, after: int, limit: int) -> list[StoredRun]:
    """List `limit` of the same runs behind a row id, without those that are only offered."""
    ids = (
        "SELECT id FROM runs WHERE sweep_id = :sweep AND id > :after AND NOT offered UNION"
        " SELECT run_id FROM prior_runs WHERE sweep_id = :sweep AND run_id > :after ORDER BY 1 LIMIT :limit"
    )
    query = f"SELECT * FROM runs WHERE id IN ({ids}) ORDER BY id"  # noqa: S608 - a query of ours
    return [_stored(row) for row in db.execute(query, {"sweep": sweep_id, "after": after, "limit": limit})]


def that_are(db: sqlite3.Connection, project_id: int, condition: Condition) -> list[StoredRun]:
    """List the runs of a project for which a filter's condition holds, the oldest first; not what is only offered."""
    query = f"SELECT r.* FROM runs r WHERE r.project_id = ? AND NOT r.offered AND {condition.text} ORDER BY r.id"  # noqa: S608
    return [_stored(row) for row in db.execute(query, (project_id, *condition.values))]


def attached_to(db: sqlite3.Connection, sweep_id: int) -> list[StoredRun]:
    """List the earlier runs attached to a sweep, the oldest first."""
    return where(db, "id IN (SELECT run_id FROM prior_runs WHERE sweep_id = ?)", (sweep_id,))


def named(db: sqlite3.Connection, project_id: int, names: Collection[str]) -> list[StoredRun]:
    """List the runs of a project whose ids are among some names, the oldest first."""
    condition = "project_id = ? AND name IN (SELECT value FROM json_each(?))"
    return where(db, condition, (project_id, json.dumps(list(names))))


def of_agent(db: sqlite3.Connection, agent_id: int) -> list[StoredRun]:
    """List what an agent was given and may still be at, the oldest first."""
    # crashed and killed count: the process may be alive, and must be told when it asks
    return where(db, "agent_id = ? AND state NOT IN ('finished', 'failed')", (agent_id,))


def at_hand(db: sqlite3.Connection, agent_id: int) -> list[StoredRun]:
    """List the same, and what the agent had when it fell silent and no other one has been given since."""
    condition = "(agent_id = ?1 AND state NOT IN ('finished', 'failed')) OR lost_agent_id = ?1"
    return where(db, condition, (agent_id,))


def waiting(db: sqlite3.Connection, sweep_id: int) -> StoredRun | None:
    """Find the oldest run of a sweep that waits for an agent: taken back before it started, or preempted."""
    condition = "sweep_id = ? AND agent_id IS NULL AND state IN ('pending', 'preempted')"
    return next(iter(where(db, condition, (sweep_id,))), None)


def count(db: sqlite3.Connection, sweep_id: int, states: tuple[str, ...] = ()) -> int:
    """Count a sweep's runs, or those of them in some states."""
    marks = ",".join("?" * len(states))
    condition = f" AND state IN ({marks})" if states else ""
    query = f"SELECT count(*) FROM runs WHERE sweep_id = ?{condition}"  # noqa: S608
    number: int = db.execute(query, (sweep_id, *states)).fetchone()[0]
    return number


def offers(db: sqlite3.Connection, sweep_id: int) -> int:
    """Count the runs of a sweep that are only offered."""
    number: int = db.execute("SELECT count(*) FROM runs WHERE sweep_id = ? AND offered", (sweep_id,)).fetchone()[0]
    return number


def counts(db: sqlite3.Connection) -> dict[int, int]:
    """Count the runs of every sweep that has any; not what is only offered."""
    # two counts, each from an index alone: the rows themselves are long
    made = dict(
        db.execute("SELECT sweep_id, count(*) FROM runs WHERE sweep_id IS NOT NULL GROUP BY sweep_id").fetchall()
    )
    offered = dict(db.execute("SELECT sweep_id, count(*) FROM runs WHERE offered GROUP BY sweep_id").fetchall())
    return {sweep_id: number - offered.get(sweep_id, 0) for sweep_id, number in made.items()}


def update(db: sqlite3.Connection, run_id: int, **columns: object) -> StoredRun:
    """Set columns of a run, and give it as it is now."""
    query = f"UPDATE runs SET {' = ?, '.join(columns)} = ? WHERE id = ? RETURNING {_ALL}"  # noqa: S608
    updated = _stored(db.execute(query, (*columns.values(), run_id)).fetchone())
    if "state" in columns or "reason" in columns:
        attempts.note(db, run_id, live=updated.live)
    return updated


def put(db: sqlite3.Connection, run_id: int, **columns: object) -> None:
    """Set columns of a run, without reading it again."""
    assignments = ", ".join(f"{column} = ?" for column in columns)
    db.execute(f"UPDATE runs SET {assignments} WHERE id = ?", (*columns.values(), run_id))  # noqa: S608


def beat(db: sqlite3.Connection, run_id: int, *, now: float) -> None:
    """Note that a run is alive."""
    db.execute("UPDATE runs SET heartbeat_at = ? WHERE id = ?", (now, run_id))


def create(
    db: sqlite3.Connection, project_id: int, name: str, *, state: RunState, now: float, **columns: object
) -> StoredRun:
    """Store a new run.

    Args:
        db: The write connection.
        project_id: Its project.
        name: Its id, as clients know it.
        state: PENDING for a run that waits for an agent, RUNNING for one that has begun.
        now: The time.
        columns: Further columns.

    Raises:
        RequestError: The name cannot be a run's.
    """
    check_name(name, "run")  # clients choose it, and its files lie in a folder of that name
    values = {
        "project_id": project_id,
        "name": name,
        "display_name": f"run-{_number(db, project_id, columns.get('sweep_id'))}",
        "state": state,
        "created_at": now,
        "heartbeat_at": now,
        "started_at": None if state is RunState.PENDING else now,
        **columns,
    }
    marks = ",".join("?" * len(values))
    query = f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks}) RETURNING {_ALL}"  # noqa: S608 - names of ours
    created = _stored(db.execute(query, tuple(values.values())).fetchone())
    attempts.note(db, created.id, live=created.live)
    return created


def _number(db: sqlite3.Connection, project_id: int, sweep_id: object) -> int:
    """Number the next run within its sweep, or among its project's runs without one."""
    if isinstance(sweep_id, int):
        return count(db, sweep_id) - offers(db, sweep_id) + 1
    query = "SELECT count(*) + 1 FROM runs WHERE project_id = ? AND sweep_id IS NULL"
    number: int = db.execute(query, (project_id,)).fetchone()[0]
    return number


def fallbacks(db: sqlite3.Connection, sweep_id: int) -> dict[str, int]:
    """Count the runs that were drawn at random where a search was asked for, by the reason."""
    query = (
        "SELECT json_extract(origin, '$.fallback') AS why, count(*) FROM runs"  # `reason` is a column of runs
        " WHERE sweep_id = ? AND origin <> '' GROUP BY why HAVING why IS NOT NULL"
    )
    return dict(db.execute(query, (sweep_id,)).fetchall())


def key_of(params: Mapping[str, Any]) -> bytes:
    """Give what is equal for equal parameters, short enough for an index."""
    return hashlib.blake2b(params_key(params).encode(), digest_size=16).digest()


def propose(
    db: sqlite3.Connection,
    sweep: Sweep,
    params: Mapping[str, Any],
    *,
    now: float,
    origin: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    display_name: str | None = None,
    offered: bool = False,
) -> StoredRun:
    """Store a suggestion as a pending run, with the config its agent will be given.

    Args:
        db: The write connection.
        sweep: Its sweep.
        params: The parameters, flat.
        now: The time.
        origin: What suggested them, if this server did.
        config: The config, if it is not made of the parameters.
        display_name: Its name on the pages; the file's template or its number if left out.
        offered: It is shown only when its agent takes it up.
    """
    nested = sweep.definition.space.nest(params) if config is None else {}
    return create(
        db,
        sweep.project_id,
        new_id(),
        state=RunState.PENDING,
        now=now,
        sweep_id=sweep.id,
        user_id=sweep.user_id,
        params=json.dumps(params),
        params_key=key_of(params),
        origin=json.dumps(origin) if origin else "",
        offered=int(offered),
        config=json.dumps({name: {"value": value} for name, value in nested.items()} if config is None else config),
        display_name=display_name or next_name(db, sweep, params),
    )


def next_name(db: sqlite3.Connection, sweep: Sweep, params: Mapping[str, Any]) -> str:
    """Name the next run of a sweep: by the file's template, or by its number among those that are shown."""
    number = _number(db, sweep.project_id, sweep.id)
    return sweep.definition.run_name(params, number) or f"run-{number}"


def parameters_of(sweep: Sweep, config: str) -> dict[str, Any]:
    """Read the sweep's parameters out of the config of a run that the sweep did not make."""
    values = {
        name: entry["value"]
        for name, entry in json.loads(config).items()
        if isinstance(entry, dict) and "value" in entry
    }
    return sweep.definition.space.flatten(values)


def stop_text(decision: StopDecision) -> str:
    """Write the numbers of a stop decision; run and reason stand beside them."""
    return json.dumps({key: value for key, value in asdict(decision).items() if key not in {"run_id", "reason"}})
