"""The runs that a sweep sees, its own and those attached to it, as search and early termination take them."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from functools import partial

from sweeper.definition.run_metrics import measured
from sweeper.metric_value import may_aggregate
from sweeper.run import Run, StopDecision, sign
from sweeper.search import Judged, OthersAt, Reached
from sweeper.server.store import history_gaps, history_keys, lines, runs
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep


def get(db: sqlite3.Connection, sweep: Sweep, run_id: int) -> Run:
    """Give one of the runs that a sweep sees, with the history of its metric."""
    return _as_run(db, sweep, runs.get(db, run_id), lines.metric_history(db, sweep.id, run_id))


def for_search(db: sqlite3.Connection, sweep: Sweep) -> list[Run]:
    """Give all runs that a sweep sees with the history of its metric, the oldest first."""
    histories = lines.metric_histories(db, sweep.id)
    return [_as_run(db, sweep, run, histories.get(run.id, ())) for run in runs.seen_by(db, sweep.id)]


def plain(stored: StoredRun) -> Run:
    """Give a run of its own sweep as it was proposed, without what it logged."""
    return Run(id=stored.name, state=stored.state, params=json.loads(stored.params))


def _as_run(db: sqlite3.Connection, sweep: Sweep, stored: StoredRun, history: tuple[float, ...]) -> Run:
    # a run of another sweep may have other parameters: what this sweep has of them is in its config
    prior = stored.sweep_id != sweep.id
    run = Run(
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
        interrupted=history_gaps.was_interrupted(stored),
        gap=stored.gap,
        nonfinite=lines.nonfinite(db, sweep.id, stored.id) if stored.state.ended and not history else 0,
    )
    keys, summary = partial(json.loads, stored.history_keys), partial(json.loads, stored.summary)
    return measured(run, sweep.definition, keys=keys, summary=summary)


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
        at=lambda iteration: _reached(
            db, sweep, stored.id, iteration, lines.metric_of(db, sweep.id, stored.id, iteration)
        ),
        nonfinite=0 if now else lines.nonfinite(db, sweep.id, stored.id),
    )


def others_at(db: sqlite3.Connection, sweep: Sweep, run_id: int) -> OthersAt:
    """Look up what the other runs of a sweep had logged by an iteration."""

    def look_up(iteration: int) -> list[Reached]:
        rows = lines.metric_at(db, sweep.id, iteration)
        return [_reached(db, sweep, row["run_id"], iteration, row) for row in rows if row["run_id"] != run_id]

    return look_up


def _reached(db: sqlite3.Connection, sweep: Sweep, run_id: int, iteration: int, row: sqlite3.Row) -> Reached:
    metric, goal = sweep.definition.metric, sweep.definition.goal
    if metric is not None and may_aggregate(metric.name):  # rare, so its values may be read again
        found = history_keys.reading_of(runs.get(db, run_id).history_keys, metric.name)
        if found.aggregate:
            so_far = found.value(lines.metric_until(db, sweep.id, run_id, iteration), goal)
            return Reached(so_far, so_far)
    return Reached(row["value"], row["lowest" if sign(goal) > 0 else "highest"])
