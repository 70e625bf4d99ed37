"""Runs that go on from the middle of a run: rewound (`resume_from`) or forked (`fork_from`), by step."""

from __future__ import annotations

import json
from typing import Any

from sweeper.server import strict_json
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.store import history_keys, line_cuts, lines, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun


def rewind(db: Connection, run: StoredRun, step: int) -> StoredRun:
    """Forget what a run logged behind a step; what was printed and measured stays.

    Raises:
        RequestError: It never came to that step.
    """
    if step > json.loads(run.history_keys).get("lastStep", -1):
        raise RequestError(f"run {run.name} has no step {step}")
    # Console lines and system events have no step: what was printed and measured did happen.
    line_cuts.cut_history(db, run.id, step)
    return _recount(db, run)


def fork(db: Connection, run: StoredRun, config: str | None) -> StoredRun:
    """Copy the history of the run that a new one branches off from, if its config names one.

    Raises:
        NotFoundError: There is no such run in the project.
    """
    branch = _branch_point(config)
    if branch is None:
        return run
    parent = runs.find(db, run.project_id, str(branch["run_id"]))
    if parent is None:
        raise NotFoundError(f"no run {branch['run_id']!r} to fork in this project")
    line_cuts.copy_history(db, parent.id, run.id, max(-lines.MAX_STEP, min(branch["step"], lines.MAX_STEP)))
    return _recount(db, run)


def _branch_point(config: str | None) -> dict[str, Any] | None:
    own = strict_json.parse_object(config or "{}", "the config").get("_wandb")
    values = own.get("value") if isinstance(own, dict) else None
    branch = values.get("branch_point") if isinstance(values, dict) else None
    # The config is the user's: what only looks like a branch point begins an ordinary run.
    if not isinstance(branch, dict) or not isinstance(branch.get("step"), int) or "run_id" not in branch:
        return None
    return branch


def _recount(db: Connection, run: StoredRun) -> StoredRun:
    """Bring what is known of a run's history into line with its rows, and the summary with the last of each."""
    rows = lines.history(db, run.id)
    keys = json.dumps(history_keys.add_keys({}, rows) if rows else {})
    lines.clear_metrics(db, run.id)
    for sweep in sweeps.seeing(db, run.id):
        if (metric := sweep.definition.metric) is not None:
            key = history_keys.reading_of(keys, metric.name).key
            lines.put_metric(db, sweep.id, run.id, key, rows, sought=sweep.seeks_values)
    summary: dict[str, Any] = {}  # the last value of each key, as the SDK sums up by default
    for line in rows:
        summary.update(line.row)
    return runs.update(db, run.id, summary=json.dumps(summary), history_keys=keys)
