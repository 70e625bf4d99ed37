"""A sweep's runs as sweeper's own commands read them: a page of them is one text, of which no value is a GraphQL field.

Of ten thousand runs a field for every value takes seconds, and the text is made in a tenth of one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sweeper.definition.confirming import link
from sweeper.definition.outline import Outline
from sweeper.ref import controller_run
from sweeper.run import Run, RunState
from sweeper.server.errors import RequestError
from sweeper.server.graphql.context import Context
from sweeper.server.rules import prior_runs
from sweeper.server.rules.run_summary import summary_with_reason
from sweeper.server.store import lines, run_digests, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.sweeps import Sweep

MAX_PAGE = 2000
"""Runs in a page, whatever the client names: some 500 KB of digests."""
MAX_POINTS = 1000
"""Of a curve, whatever the client names."""
_PLAIN = (
    *("name", "reason", "duration_s", "nonfinite", "fallback", "prior", "losses", "values", "aggregate", "lacks"),
    *("interrupted", "gap"),
)
"""Attributes of a run that are told as they are; those with their default are left out."""
_NOTHING = Run(id="", state=RunState.PENDING)


def outline_text(context: Context, sweep: Sweep) -> str:
    """Tell what a sweep is, its definition in short."""
    with context.store.read() as db:
        told = {
            "outline": Outline.of(sweep.definition).to_json(),
            "expected": prior_runs.expected_runs(db, sweep),
            "scheduler_heard_at": _scheduler_heard_at(db, sweep),
            "confirms": about.sweep if (about := link(sweep.definition)) else "",
            "confirmed_by": [other.name for other in sweeps.confirming(db, sweep)],
        }
    return json.dumps(told)


def _scheduler_heard_at(db: Connection, sweep: Sweep) -> float | None:
    if sweep.definition.scheduler is None:
        return None
    found = runs.find(db, sweep.project_id, controller_run(sweep.name))
    return found.heartbeat_at if found and found.state is RunState.RUNNING else None


def digests_text(context: Context, sweep: Sweep, after: int, since: float | None, first: int | None) -> str:
    """Tell a page of a sweep's runs, the oldest first; see `run_digests.page`.

    It has the runs, the place behind which the next page begins (null: there is none), how many runs there are in all
    pages if none is left out, and the time.
    """
    limit = _limit(first)
    with context.store.read() as db:
        found = run_digests.page(db, sweep, after=after, since=since, limit=limit)
        total = run_digests.count(db, sweep.id)
    told = {
        "runs": [_told(run) for _, run in found],
        "next": found[-1][0] if len(found) == limit else None,
        "total": total,
        "now": context.now,
    }
    return json.dumps(told)


def curves_text(context: Context, sweep: Sweep, names: Sequence[str], points: int) -> str:
    """Tell the curves of some of a sweep's runs by their names, each some pairs of iteration and value."""
    if len(names) > MAX_PAGE or not 0 < points <= MAX_POINTS:
        raise RequestError(f"ask for at most {MAX_PAGE} runs, with 1 to {MAX_POINTS} points each")
    with context.store.read() as db:
        return json.dumps(lines.metric_curves(db, sweep.id, names, points))


def _limit(first: int | None) -> int:
    if first is not None and first < 1:
        raise RequestError(f"first: {first} is no number of runs")
    return min(first or MAX_PAGE, MAX_PAGE)


def _told(run: Run) -> dict[str, Any]:
    """Give a run as JSON has it, without its history: what that comes to, and what is not as in every run."""
    told: dict[str, Any] = {"id": run.id, "state": run.state, "params": run.params}
    told["created_at"] = _moment(run.created_at) if run.created_at else None
    if run.heard_at:
        told["heard_at"] = _moment(run.heard_at)
    for name in _PLAIN:
        value = getattr(run, name)
        if value != getattr(_NOTHING, name):
            told[name] = value
    if run.logged:
        told["logged"] = run.logged
    if run.stop:
        told["stop"] = {key: value for key, value in asdict(run.stop).items() if key != "run_id"}
    if run.digest:
        told["digest"] = [run.digest.count, run.digest.last, run.digest.lowest, run.digest.highest]
    elif run.history:
        told["digest"] = [len(run.history), run.history[-1], min(run.history), max(run.history)]
    return told


def _moment(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")  # as every other answer has it


def whole_runs_text(context: Context, sweep: Sweep, after: int, first: int | None) -> str:
    """Tell a page of a sweep's runs with all that they were given and have in their summaries, the oldest first."""
    limit = _limit(first)
    with context.store.read() as db:
        found = runs.page_seen_by(db, sweep.id, after=after, limit=limit)
        names = {run.sweep_id: sweeps.get(db, run.sweep_id).name for run in found if run.sweep_id is not None}
    told = [
        {
            "id": run.name,
            "name": run.display_name,
            "state": run.state,
            "sweep": names.get(run.sweep_id or 0, ""),
            "config": run.config,
            "summary": summary_with_reason(run),
            "created_at": _moment(datetime.fromtimestamp(run.created_at, UTC)),
        }
        for run in found
    ]
    return json.dumps({"runs": told, "next": found[-1].id if len(found) == limit else None})
