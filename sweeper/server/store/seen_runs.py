"""The runs that a sweep sees, its own and those attached to it, as search and early termination take them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime

from sweeper.run import Run, RunState, StopDecision, finite, lookup, sign
from sweeper.search import Judged, OthersAt, Reached
from sweeper.server.store import lines, runs
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep


def get(db: sqlite3.Connection, sweep: Sweep, run_id: int) -> Run:
    """Give one of the runs that a sweep sees, with the history of its metric."""
    stored = runs.get(db, run_id)
    logged = lines.metric_history(db, sweep.id, run_id)
    return _as_run(sweep, stored, _history(sweep, stored, {run_id: logged}))


def for_search(db: sqlite3.Connection, sweep: Sweep) -> list[Run]:
    """Give all runs that a sweep sees with the history of its metric, the oldest first."""
    return _with_histories(db, sweep, runs.seen_by(db, sweep.id))


def for_people(db: sqlite3.Connection, sweep: Sweep) -> list[Run]:
    """Give the same runs without those that are only offered."""
    return _with_histories(db, sweep, [run for run in runs.seen_by(db, sweep.id) if not run.offered])


def _with_histories(db: sqlite3.Connection, sweep: Sweep, seen: list[StoredRun]) -> list[Run]:
    histories = lines.metric_histories(db, sweep.id)
    return [_as_run(sweep, run, _history(sweep, run, histories)) for run in seen]


def _as_run(sweep: Sweep, stored: StoredRun, history: tuple[float, ...]) -> Run:
    # a run of another sweep may have other parameters: what this sweep has of them is in its config
    prior = stored.sweep_id != sweep.id
    return Run(
        id=stored.name,
        state=stored.state,
        params=runs.parameters_of(sweep, stored.config) if prior else json.loads(stored.params),
        history=history,
        prior=prior,
        name=stored.display_name,
        reason=stored.reason,
        created_at=datetime.fromtimestamp(stored.created_at, UTC),
        duration_s=stored.duration_s,
        stop=StopDecision(stored.name, stored.reason, **json.loads(stored.stop)) if stored.stop else None,
        values=_values(sweep, stored),
    )


def _values(sweep: Sweep, stored: StoredRun) -> tuple[float, ...]:
    """Give the values of several metrics: those of a run belong together, so they are its last ones."""
    if sweep.definition.metrics is None or stored.state is not RunState.FINISHED:
        return ()
    return sweep.definition.final_values(json.loads(stored.summary))


def _history(sweep: Sweep, run: StoredRun, histories: Mapping[int, tuple[float, ...]]) -> tuple[float, ...]:
    """Take what was logged; for an ended run that logged nothing, what its summary says."""
    metric = sweep.definition.metric
    logged = histories.get(run.id, ())
    if logged or metric is None or not run.state.ended:
        return logged
    return finite([lookup(json.loads(run.summary), metric.name)])


def for_judging(db: sqlite3.Connection, sweep: Sweep, stored: StoredRun, since_line: int | None) -> Judged:
    """Give one run for early termination, which looks up what it needs.

    Args:
        db: A connection, of one transaction.
        sweep: Its sweep.
        stored: The run.
        since_line: From which line of its history on it has just logged; None if it has logged nothing new.
    """
    now = lines.iterations(db, sweep.id, stored.id, lines.MAX_INTEGER)
    return Judged(
        id=stored.name,
        before=now if since_line is None else lines.iterations(db, sweep.id, stored.id, since_line),
        now=now,
        # looked up on demand: a rule needs the values at its rungs, and a long run has a hundred thousand others
        at=lambda iteration: _reached(sweep, lines.metric_of(db, sweep.id, stored.id, iteration)),
        nonfinite=0 if now else lines.nonfinite(db, sweep.id, stored.id),
    )


def others_at(db: sqlite3.Connection, sweep: Sweep, run_id: int) -> OthersAt:
    """Look up what the other runs of a sweep had logged by an iteration."""

    def look_up(iteration: int) -> list[Reached]:
        rows = lines.metric_at(db, sweep.id, iteration)
        return [_reached(sweep, row) for row in rows if row["run_id"] != run_id]

    return look_up


def _reached(sweep: Sweep, row: sqlite3.Row) -> Reached:
    return Reached(row["value"], row["lowest" if sign(sweep.definition.goal) > 0 else "highest"])
