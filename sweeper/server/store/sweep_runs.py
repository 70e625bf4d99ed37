"""What the rules ask about a sweep's runs and answer from indexes alone: no history and no config is read for it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Any, NamedTuple

from sweeper.server.store import runs
from sweeper.server.store.runs import StoredRun

# Answered from the index runs_of_sweep_by_state alone: ten thousand runs are looked through with every search.
_STATES = (
    "SELECT id, state, ended_at FROM runs WHERE sweep_id = :id UNION"
    " SELECT r.id, r.state, r.ended_at FROM prior_runs p JOIN runs r ON r.id = p.run_id WHERE p.sweep_id = :id"
    " ORDER BY 1"
)


class Beside(NamedTuple):
    """What a sweep has beside the runs that its file asks for.

    Attributes:
        learns: Whether earlier runs are attached to it.
        beyond: How many runs it has made that its file, which was edited since, does not ask for.
    """

    learns: bool
    beyond: int


NOTHING_BESIDE = Beside(learns=False, beyond=0)


def states(db: sqlite3.Connection, sweep_id: int) -> dict[int, tuple[Any, ...]]:
    """Give state and time of the end of each run that a sweep sees, by its row id, the oldest first."""
    return {run_id: tuple(state) for run_id, *state in db.execute(_STATES, {"id": sweep_id}).fetchall()}


def of_others(db: sqlite3.Connection, sweep_id: int, user_id: int) -> list[str]:
    """List the ids of a sweep's runs that do not belong to a user."""
    query = "SELECT name FROM runs WHERE sweep_id = ? AND user_id IS NOT ? AND NOT offered ORDER BY id"
    return [row["name"] for row in db.execute(query, (sweep_id, user_id))]


def attach(db: sqlite3.Connection, sweep_id: int, run_id: int) -> None:
    """Let a sweep see a run that it did not make; one that is attached already stays so."""
    db.execute("INSERT OR IGNORE INTO prior_runs VALUES (?, ?)", (sweep_id, run_id))


def count_ended(db: sqlite3.Connection, sweep_id: int) -> int:
    """Count the ended runs that a sweep sees: its own and those attached to it."""
    prior = (
        "SELECT count(*) FROM prior_runs p JOIN runs r ON r.id = p.run_id WHERE p.sweep_id = ?"
        " AND r.state IN ('finished', 'failed', 'crashed', 'killed')"
    )
    number: int = db.execute(prior, (sweep_id,)).fetchone()[0]
    return number + runs.count(db, sweep_id, runs.ENDED)


def has_params(db: sqlite3.Connection, sweep_id: int, key: bytes) -> bool:
    """Whether a sweep has made a run with the parameters of a key (`runs.key_of`)."""
    query = "SELECT 1 FROM runs WHERE sweep_id = ? AND params_key = ? LIMIT 1"
    return db.execute(query, (sweep_id, key)).fetchone() is not None


def count_beyond(db: sqlite3.Connection, sweep_id: int) -> int:
    """Count the runs of a sweep that its file, which was edited since, does not ask for."""
    number: int = db.execute("SELECT count(*) FROM runs WHERE sweep_id = ? AND beyond", (sweep_id,)).fetchone()[0]
    return number


def beside_files(db: sqlite3.Connection) -> dict[int, Beside]:
    """Say of every sweep with such runs what it has beside those that its file asks for, by its row id."""
    query = (
        "SELECT sweep_id, max(prior), sum(beyond) FROM (SELECT sweep_id, 1 AS prior, 0 AS beyond FROM prior_runs"
        " UNION ALL SELECT sweep_id, 0, 1 FROM runs WHERE beyond) GROUP BY sweep_id"
    )
    return {sweep_id: Beside(bool(prior), beyond) for sweep_id, prior, beyond in db.execute(query)}


def mark_beyond(db: sqlite3.Connection, sweep_id: int, run_ids: Collection[int]) -> None:
    """Note which runs of a sweep its file does not ask for: these and no others."""
    db.execute("UPDATE runs SET beyond = 0 WHERE sweep_id = ? AND beyond", (sweep_id,))
    query = "UPDATE runs SET beyond = 1 WHERE id IN (SELECT value FROM json_each(?))"
    db.execute(query, (json.dumps([*run_ids]),))


def last_keys(db: sqlite3.Connection, sweep_id: int, number: int) -> list[bytes | None]:
    """Give the keys of the parameters of a sweep's last runs, the oldest first; None for a run without one."""
    query = "SELECT params_key FROM runs WHERE sweep_id = ? ORDER BY id DESC LIMIT ?"
    return [key for (key,) in db.execute(query, (sweep_id, number))][::-1]


def has_unkeyed(db: sqlite3.Connection, sweep_id: int) -> bool:
    """Whether a sweep sees runs that the index of parameters does not hold: prior ones, or very old ones."""
    query = (
        "SELECT 1 FROM runs WHERE sweep_id = :id AND params_key IS NULL"
        " UNION ALL SELECT 1 FROM prior_runs WHERE sweep_id = :id LIMIT 1"
    )
    return db.execute(query, {"id": sweep_id}).fetchone() is not None


def unfinished(db: sqlite3.Connection, sweep_id: int) -> list[StoredRun]:
    """List a sweep's runs that have not ended, the oldest first."""
    states = ", ".join(f"'{state}'" for state in runs.UNFINISHED)
    return runs.where(db, f"sweep_id = ? AND state IN ({states})", (sweep_id,))


def first(db: sqlite3.Connection, sweep_id: int, number: int) -> list[StoredRun]:
    """List the oldest runs of a sweep, `number` at most."""
    return runs.where(db, "id IN (SELECT id FROM runs WHERE sweep_id = ? ORDER BY id LIMIT ?)", (sweep_id, number))


def unassigned(db: sqlite3.Connection, sweep_id: int) -> list[StoredRun]:
    """List a sweep's runs that no agent has been given yet, the oldest first."""
    return runs.where(db, "sweep_id = ? AND state = 'pending' AND agent_id IS NULL", (sweep_id,))
