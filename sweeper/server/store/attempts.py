"""Attempts at runs: when each began, where, and how it ended. `runs.update` has them noted as a state changes."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

LONGEST_SLOT = 64
"""Characters of a slot's name that are kept: a client says it."""

# a run whose first words are as old as its last has just begun, perhaps anew under an id that was used before
_BEGIN = """
INSERT INTO attempts (run_id, number, agent, host, started_at, state)
    SELECT r.id, r.attempt, coalesce(a.name, ''), coalesce(a.host, r.host, ''), r.heartbeat_at, r.state
    FROM runs r LEFT JOIN agents a ON a.id = r.agent_id WHERE r.id = :run
ON CONFLICT DO UPDATE SET state = excluded.state, reason = '', ended_at = NULL, started_at = CASE
    WHEN (SELECT started_at = heartbeat_at FROM runs WHERE id = :run) THEN excluded.started_at ELSE started_at END
"""
_END = """
UPDATE attempts SET ended_at = coalesce(attempts.ended_at, r.ended_at, r.heartbeat_at), state = r.state,
    reason = r.reason FROM runs r
    WHERE r.id = :run AND run_id = :run AND (attempts.ended_at IS NULL OR number = r.attempt)
"""
_NOW = "run_id = :run AND number = (SELECT attempt FROM runs WHERE id = :run)"
_LISTED = """
SELECT r.name AS run, a.number, a.agent, a.host, a.slot, a.started_at, a.ended_at, a.state, a.reason
    FROM runs r JOIN attempts a ON a.run_id = r.id WHERE {condition} ORDER BY r.id, a.number
"""


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """One start of a run's process; times are seconds since 1970.

    Attributes:
        run: The run's id.
        number: The how-manieth it is, from 1.
        agent: The agent that had it; empty for a run without one.
        host: Its machine, as far as anybody said.
        slot: Its slot there, as the worker calls it; empty where nobody said.
        started_at: When it began.
        ended_at: When it ended; None while it goes on.
        state: The run's state when it ended.
        reason: Why it ended so.
    """

    run: str
    number: int
    agent: str
    host: str
    slot: str
    started_at: float
    ended_at: float | None
    state: str
    reason: str


def note(db: sqlite3.Connection, run_id: int, *, live: bool) -> None:
    """Note what a run's new state says of its attempt: that it goes on, or that it has ended."""
    db.execute(_BEGIN if live else _END, {"run": run_id})


def place(db: sqlite3.Connection, run_id: int, slot: str) -> None:
    """Note in which slot the attempt at a run that goes on is."""
    db.execute(f"UPDATE attempts SET slot = :slot WHERE {_NOW}", {"slot": slot[:LONGEST_SLOT], "run": run_id})  # noqa: S608


def explain(db: sqlite3.Connection, run_id: int, reason: str) -> None:
    """Note what only the worker of a run's last attempt, which has ended, could tell of its end."""
    db.execute(f"UPDATE attempts SET reason = :reason WHERE {_NOW}", {"reason": reason, "run": run_id})  # noqa: S608


def of_run(db: sqlite3.Connection, run_id: int) -> list[StoredAttempt]:
    """List the attempts at a run, the first one first."""
    return _listed(db, "r.id = ?", (run_id,))


def of_sweep(db: sqlite3.Connection, sweep_id: int, *, since: float = 0.0) -> list[StoredAttempt]:
    """List the attempts at a sweep's runs that go on, or ended at a time or after it; run by run, the oldest first."""
    return _listed(db, "r.sweep_id = ? AND (a.ended_at IS NULL OR a.ended_at >= ?)", (sweep_id, since))


def _listed(db: sqlite3.Connection, condition: str, values: tuple[object, ...]) -> list[StoredAttempt]:
    return [StoredAttempt(*row) for row in db.execute(_LISTED.format(condition=condition), values)]
