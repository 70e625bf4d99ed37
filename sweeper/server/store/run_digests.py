"""The runs that a sweep sees as people are shown them: each with what its history comes to, and without the history."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from sweeper.definition.run_metrics import measured
from sweeper.metric_value import may_aggregate
from sweeper.run import Digest, Run, RunState, StopDecision
from sweeper.server.store import lines, runs
from sweeper.server.store.runs import ENDED, UNFINISHED
from sweeper.server.store.sweeps import Sweep

PAGE = 1000
"""Runs that are read at a time: their rows are long."""

_UNFINISHED, _ENDED = (", ".join(f"'{state}'" for state in states) for states in (UNFINISHED, ENDED))
_ALL = (
    "SELECT id FROM runs WHERE sweep_id = :sweep AND id > :after AND NOT offered"
    " UNION SELECT run_id FROM prior_runs WHERE sweep_id = :sweep AND run_id > :after"
)
_BY_STATE = "INDEXED BY runs_of_sweep_by_state WHERE sweep_id = :sweep AND"
# each part from an index alone, whatever the sweep's size
_CHANGED = (
    f"SELECT id FROM runs {_BY_STATE} state IN ({_UNFINISHED}) AND id > :after AND NOT offered"  # noqa: S608
    f" UNION SELECT id FROM runs {_BY_STATE} state IN ({_ENDED}) AND ended_at >= :since AND id > :after"
    " UNION SELECT p.run_id FROM prior_runs p JOIN runs r ON r.id = p.run_id WHERE p.sweep_id = :sweep"
    f" AND p.run_id > :after AND (r.state IN ({_UNFINISHED}) OR r.ended_at >= :since)"
)
# the last value of a run carries the extremes of all before it; what is long is read only where it is needed
_DIGESTS = """
WITH seen(id) AS ({ids} ORDER BY 1 LIMIT :limit)
SELECT r.id, r.name, r.display_name, r.state, r.sweep_id, r.reason, r.created_at, r.started_at, r.heartbeat_at,
    r.ended_at, r.stop, r.origin, r.losses, r.gap, r.joins <> '' OR r.reached > 0 AS interrupted,
    m.iteration, m.value, m.lowest, m.highest,
    CASE WHEN r.sweep_id = :sweep THEN r.params ELSE r.config END AS params,
    CASE WHEN :whole OR m.line IS NULL THEN r.summary END AS summary,
    CASE WHEN :whole OR m.line IS NULL THEN r.history_keys END AS history_keys,
    CASE WHEN m.line IS NULL THEN
        (SELECT count(*) FROM nonfinite_values n WHERE n.sweep_id = :sweep AND n.run_id = r.id) END AS nonfinite
FROM seen CROSS JOIN runs r ON r.id = seen.id
LEFT JOIN metric_values m ON m.sweep_id = :sweep AND m.run_id = r.id AND m.line =
    (SELECT max(line) FROM metric_values v WHERE v.sweep_id = :sweep AND v.run_id = r.id)
ORDER BY r.id
"""


def all_of(db: sqlite3.Connection, sweep: Sweep) -> list[Run]:
    """Give all runs that a sweep sees but those that are only offered, the oldest first."""
    return list(_walk(db, sweep))


def _walk(db: sqlite3.Connection, sweep: Sweep) -> Iterator[Run]:
    after = 0
    while found := page(db, sweep, after=after):
        for after, run in found:  # noqa: B007 the last one is the next page's
            yield run


def page(
    db: sqlite3.Connection, sweep: Sweep, *, after: int = 0, since: float | None = None, limit: int = PAGE
) -> list[tuple[int, Run]]:
    """Give a page of the runs that a sweep sees, each behind its row id, the oldest first.

    Args:
        db: A connection.
        sweep: The sweep.
        after: The row id of the last run before the page.
        since: Only those that have not ended, or not before this time; None for all.
        limit: How many.
    """
    aggregates, several = _has_aggregate(sweep), sweep.definition.metrics is not None
    given = {"sweep": sweep.id, "after": after, "since": since, "limit": limit, "whole": aggregates or several}
    rows = db.execute(_DIGESTS.format(ids=_ALL if since is None else _CHANGED), given).fetchall()
    return [(row["id"], _complete(sweep, row, _as_run(db, sweep, row, aggregates=aggregates))) for row in rows]


def _has_aggregate(sweep: Sweep) -> bool:
    metric = sweep.definition.metric
    return metric is not None and may_aggregate(metric.name)


def count(db: sqlite3.Connection, sweep_id: int) -> int:
    """Count the runs that a sweep sees, but those that are only offered."""
    prior: int = db.execute("SELECT count(*) FROM prior_runs WHERE sweep_id = ?", (sweep_id,)).fetchone()[0]
    return runs.count(db, sweep_id) - runs.offers(db, sweep_id) + prior


def names_by_row(db: sqlite3.Connection, sweep_id: int) -> dict[int, str]:
    """Give the ids of the runs that a sweep sees by their row ids, the oldest first."""
    query = f"SELECT id, name FROM runs WHERE id IN ({_ALL}) ORDER BY id"  # noqa: S608 - a query of ours
    return dict(db.execute(query, {"sweep": sweep_id, "after": 0}).fetchall())


def _as_run(db: sqlite3.Connection, sweep: Sweep, row: sqlite3.Row, *, aggregates: bool) -> Run:
    state, prior = RunState(row["state"]), row["sweep_id"] != sweep.id
    begun, logged = row["started_at"], row["iteration"] is not None
    return Run(
        id=row["name"],
        state=state,
        # a run of another sweep may have other parameters: what this sweep has of them is in its config
        params=runs.parameters_of(sweep, row["params"]) if prior else json.loads(row["params"]),
        # what `loss.mean` is, only the values tell
        history=lines.metric_history(db, sweep.id, row["id"]) if aggregates and logged else (),
        digest=_digest(row) if logged and not aggregates else None,
        prior=prior,
        name=row["display_name"],
        reason=row["reason"],
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
        duration_s=None if begun is None else (row["ended_at"] or row["heartbeat_at"]) - begun,
        stop=StopDecision(row["name"], row["reason"], **json.loads(row["stop"])) if row["stop"] else None,
        fallback=str(json.loads(row["origin"]).get("fallback") or "") if row["origin"] else "",
        losses=row["losses"],
        interrupted=bool(row["interrupted"]),
        gap=row["gap"],
        nonfinite=(row["nonfinite"] or 0) if state.ended else 0,
        heard_at=None if state.ended or begun is None else datetime.fromtimestamp(row["heartbeat_at"], UTC),
    )


def _digest(row: sqlite3.Row) -> Digest:
    return Digest(row["iteration"], row["value"], row["lowest"], row["highest"])


def _complete(sweep: Sweep, row: sqlite3.Row, run: Run) -> Run:
    """Look into what the run says of itself, where the values of its metric do not tell all."""
    if row["summary"] is None:
        return run
    keys, summary = partial(json.loads, row["history_keys"]), partial(json.loads, row["summary"])
    return measured(run, sweep.definition, keys=keys, summary=summary)
