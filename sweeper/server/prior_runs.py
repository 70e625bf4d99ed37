"""Warm start: earlier runs of a project attached to a sweep, which learns from them and leaves them where they are.

An attached run stays with its own sweep, or with none: only that one hands it out, counts, judges and stops it.
The sweep it is attached to sees its parameters and its metric, for the search and among the peers of early termination:
W&B speaks of adding the runs to the sweep, and its rule (`sweeps` 0.3.0) compares with all runs in any state.
"""

from __future__ import annotations

import sqlite3

from sweeper import search
from sweeper.server import filters, lines, projects, runs, sweeps
from sweeper.server.refusal import RequestError
from sweeper.server.runs import StoredRun
from sweeper.server.sweeps import Sweep


def attach(db: sqlite3.Connection, sweep: Sweep, wanted: str) -> None:
    """Attach the runs of the sweep's project that a filter holds for.

    Raises:
        RequestError: The filter cannot be read, names a run that is not there, or holds for none.
    """
    found = [candidate.stored for candidate in filters.find(db, sweep.project_id, wanted)]
    known = {run.name for run in found}
    unknown = [name for name in filters.names_in(wanted) if name not in known]
    if unknown or not found:
        raise _refusal(db, sweep, unknown)
    db.execute("DELETE FROM suggestions WHERE sweep_id = ?", (sweep.id,))  # made without knowing these runs
    for run in found:
        if run.sweep_id != sweep.id:
            db.execute("INSERT OR IGNORE INTO prior_runs VALUES (?, ?)", (sweep.id, run.id))
            read_metric(db, sweep, run)


def _refusal(db: sqlite3.Connection, sweep: Sweep, unknown: list[str]) -> RequestError:
    place = projects.get(db, sweep.project_id)
    which = f"no run {', '.join(map(repr, unknown))}" if unknown else "no run fits the filter"
    return RequestError(
        f"prior runs: {which} in {place.entity}/{place.name}. "
        "Give ids of runs of this project: the last part of a run's address, not its display name."
    )


def reread(db: sqlite3.Connection, sweep: Sweep) -> None:
    """Read the metric anew from all runs a sweep sees; for a definition that has changed."""
    db.execute("DELETE FROM metric_values WHERE sweep_id = ?", (sweep.id,))
    for run in runs.seen_by(db, sweep.id):
        read_metric(db, sweep, run)


def read_metric(db: sqlite3.Connection, sweep: Sweep, run: StoredRun) -> None:
    """Keep what a run has logged of a sweep's metric so far; what comes later is kept as it comes."""
    metric = sweep.definition.metric
    if metric is None:
        return
    others = [other for other in sweeps.seeing(db, run.id) if other.id != sweep.id]
    same = [other for other in others if other.definition.metric and other.definition.metric.name == metric.name]
    if same:  # 100 runs with histograms in 100 lines each: 12 s to read, 0.1 s to copy
        lines.copy_metric(db, same[0].id, sweep.id, run.id)
    else:
        lines.put_metric(db, sweep.id, run.id, metric.name, lines.history(db, run.id))


def expected_runs(db: sqlite3.Connection, sweep: Sweep) -> int | None:
    """Count the runs a sweep will have; None if it goes on until stopped."""
    if not runs.attached_to(db, sweep.id):
        return sweep.definition.expected_runs
    return search.expected_runs(sweep.definition, runs.for_search(db, sweep))
