"""When and where a sweep's runs were at work, without all that they logged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from sweeper.run import RunState
from sweeper.server.store.runs import ENDED, LIVE

_TIMES = (
    "SELECT id, created_at, started_at, ended_at, heartbeat_at, host, attempt,"
    " (SELECT slot FROM attempts a WHERE a.run_id = runs.id AND a.number = runs.attempt) FROM runs"
    " WHERE id IN (SELECT value FROM json_each(?))"
)
_BY_STATE = "FROM runs INDEXED BY runs_of_sweep_by_state WHERE sweep_id = :sweep AND state ="
_LATEST = f"SELECT ended_at, started_at, state {_BY_STATE} :state AND ended_at > 0 ORDER BY ended_at DESC LIMIT :number"
_GOING = f"SELECT started_at {_BY_STATE} :state AND started_at IS NOT NULL AND NOT offered"
_BEFORE = "SELECT id FROM runs WHERE sweep_id = ? AND NOT offered ORDER BY id DESC LIMIT 1 OFFSET ?"


@dataclass(frozen=True, slots=True)
class RunTimes:
    """When one run was at work; times are seconds since 1970.

    Attributes:
        created_at: When the server made it.
        started_at: When its last attempt began; None before the first.
        ended_at: When it ended; None if it has not.
        heard_at: Its last sign of life.
        host: Where; None if that was not told.
        attempt: Its how-manieth attempt this is, from 1.
        slot: In which slot of its host that is; empty or None where nobody said.
    """

    created_at: float
    started_at: float | None
    ended_at: float | None
    heard_at: float
    host: str | None
    attempt: int
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class TimedRun:
    """How long a run took, or has taken so far.

    Attributes:
        state: Where it is in its life.
        duration_s: Seconds; None where its start is not known.
    """

    state: RunState
    duration_s: float | None


def of_runs(db: sqlite3.Connection, run_ids: Collection[int]) -> dict[int, RunTimes]:
    """Give the times of some runs, by their row ids."""
    return {row[0]: RunTimes(*row[1:]) for row in db.execute(_TIMES, (json.dumps([*run_ids]),))}


def latest_ended(db: sqlite3.Connection, sweep_id: int, number: int) -> list[TimedRun]:
    """List the runs of a sweep that ended last, so many at most, the earliest of them first."""
    found = []
    for state in ENDED:  # each from the index, for a sweep may have a hundred thousand
        given = {"sweep": sweep_id, "state": state, "number": number}
        found += [(at, TimedRun(RunState(word), _length(at, begun))) for at, begun, word in db.execute(_LATEST, given)]
    return [run for _, run in sorted(found, key=lambda pair: pair[0])[-number:]]


def at_work(db: sqlite3.Connection, sweep_id: int, now: float) -> list[TimedRun]:
    """List the runs of a sweep that are at work."""
    return [
        TimedRun(RunState(state), max(0.0, now - begun))
        for state in LIVE
        for (begun,) in db.execute(_GOING, {"sweep": sweep_id, "state": state})
    ]


def before_latest(db: sqlite3.Connection, sweep_id: int, number: int) -> int:
    """Give the row id behind which the last so many of a sweep's runs are; 0 if it has no more."""
    row = db.execute(_BEFORE, (sweep_id, number)).fetchone()
    return row[0] if row else 0


def _length(end: float, begin: float | None) -> float | None:
    return None if begin is None else end - begin
