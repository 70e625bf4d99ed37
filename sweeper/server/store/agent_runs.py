"""Runs by who works on them: those an agent lists, those nobody hears any more, those given out early.

A run given to an agent in the moment its last one ended stands in `early_runs` until it is known whether the agent
took it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from sweeper.server.store import runs
from sweeper.server.store.runs import StoredRun

_LISTED = "SELECT id FROM runs WHERE agent_id = :agent AND name IN (SELECT value FROM json_each(:listed)) AND "
_SURELY_DONE = "exit_code IS NOT NULL AND (state = 'finished' OR (state = 'killed' AND stop_requested))"
_AT_WORK = "state IN ('running', 'preempting') AND NOT stop_requested"


def listed_and_done(db: sqlite3.Connection, agent_id: int, listed: Collection[str]) -> tuple[int, ...]:
    """Give those of an agent's listed runs that reported their end, and whose end was no failure."""
    return _listed(db, agent_id, listed, _SURELY_DONE)


def listed_at_work(db: sqlite3.Connection, agent_id: int, listed: Collection[str]) -> tuple[int, ...]:
    """Give those of an agent's listed runs that have started, go on, and are not to stop."""
    return _listed(db, agent_id, listed, _AT_WORK)


def _listed(db: sqlite3.Connection, agent_id: int, listed: Collection[str], condition: str) -> tuple[int, ...]:
    given = {"agent": agent_id, "listed": json.dumps(list(listed))}
    return tuple(run_id for (run_id,) in db.execute(_LISTED + condition, given))


def no_longer_at_work(db: sqlite3.Connection, run_ids: Collection[int]) -> frozenset[int]:
    """Find those of some runs that have ended, are to stop, or are gone."""
    query = (
        "SELECT w.value FROM json_each(?) w LEFT JOIN runs r ON r.id = w.value"
        " WHERE r.id IS NULL OR r.stop_requested OR r.state NOT IN ('running', 'preempting')"
    )
    return frozenset(run_id for (run_id,) in db.execute(query, (json.dumps(list(run_ids)),)))


def waiting(db: sqlite3.Connection, sweep_id: int, *, ended_before: float) -> int:
    """Count a sweep's runs that wait for an agent, and whose last attempt, if there was one, had ended by a time."""
    query = (
        "SELECT count(*) FROM runs WHERE sweep_id = ? AND agent_id IS NULL"
        " AND (state = 'pending' OR state = 'preempted' AND ended_at <= ?)"
    )
    number: int = db.execute(query, (sweep_id, ended_before)).fetchone()[0]
    return number


def silent_of_agents(db: sqlite3.Connection, heard_before: float) -> list[StoredRun]:
    """List the live runs of agents that were last heard before a time, be it through their agent or by themselves."""
    condition = "state IN ('running', 'preempting') AND agent_id IS NOT NULL AND heartbeat_at < ?"
    return runs.where(db, condition, (heard_before,))


def silent_without_agent(db: sqlite3.Connection, heard_before: float) -> list[StoredRun]:
    """List the live runs without an agent that were last heard before a time."""
    condition = "state IN ('running', 'preempting') AND agent_id IS NULL AND heartbeat_at < ?"
    return runs.where(db, condition, (heard_before,))


def given_to(db: sqlite3.Connection, agent_id: int) -> list[StoredRun]:
    """List all that an agent was given and has taken up, the oldest first."""
    return runs.where(db, "agent_id = ? AND NOT offered", (agent_id,))


def unassign_unstarted(db: sqlite3.Connection, heard_before: float) -> list[StoredRun]:
    """Take the runs that never started from the agents that were last heard before a time; give those taken."""
    silent = "agent_id IN (SELECT id FROM agents WHERE heartbeat_at < ?)"
    query = f"UPDATE runs SET agent_id = NULL, accepted = 0 WHERE state = 'pending' AND {silent} RETURNING id"  # noqa: S608
    taken = [run_id for (run_id,) in db.execute(query, (heard_before,)).fetchall()]
    # ended with its sweep while its command was on the way: nobody has come for it
    db.execute(f"DELETE FROM runs WHERE offered AND state = 'killed' AND {silent}", (heard_before,))  # noqa: S608
    return [runs.get(db, run_id) for run_id in taken]


def note_early(db: sqlite3.Connection, run_id: int, *, now: float) -> None:
    """Remember when a run was given to an agent that may be gone."""
    db.execute("INSERT OR REPLACE INTO early_runs VALUES (?, ?)", (run_id, now))


def take_early(db: sqlite3.Connection, given_before: float) -> list[StoredRun]:
    """List the runs given out early before a time, and remember them no longer."""
    found = runs.where(db, "id IN (SELECT run_id FROM early_runs WHERE given_at < ?)", (given_before,))
    db.execute("DELETE FROM early_runs WHERE given_at < ?", (given_before,))
    return found
