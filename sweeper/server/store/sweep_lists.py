"""All sweeps with what they have come to, as a list of them shows it: some reads for all of them, none for each run."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sweeper.definition.outline import Outline
from sweeper.metric_value import finite, in_summary, may_aggregate
from sweeper.run import Goal, sign
from sweeper.server.store import privacy, run_digests
from sweeper.server.store.projects import Project
from sweeper.server.store.sweeps import Sweep, of_projects

_LISTED = "FROM runs INDEXED BY runs_of_sweep_by_state WHERE sweep_id IN (SELECT value FROM json_each(:sweeps))"
_UNFINISHED = "'pending', 'running', 'preempting', 'preempted'"
# who may lead: `sweeper.run.may_lead`
_LEADS = "(r.state NOT IN ('failed', 'crashed', 'killed') OR (r.state = 'killed' AND r.stop <> ''))"
# the last value of a run carries the extremes of all before it
_BEST = """
SELECT r.name, m.{extreme} AS value FROM runs r JOIN metric_values m
    ON m.sweep_id = r.sweep_id AND m.run_id = r.id AND m.line =
        (SELECT max(line) FROM metric_values v WHERE v.sweep_id = r.sweep_id AND v.run_id = r.id)
WHERE r.sweep_id = :sweep AND NOT r.offered AND {leads}
ORDER BY m.{extreme} {order}, r.id LIMIT :number
"""
_WITHOUT_VALUE = """
SELECT r.name, r.summary FROM runs r WHERE r.sweep_id = :sweep AND {leads} AND r.state IN ('finished', 'killed')
    AND NOT EXISTS (SELECT 1 FROM metric_values v WHERE v.sweep_id = r.sweep_id AND v.run_id = r.id)
ORDER BY r.id
"""

SETTLED_S = 3600.0
"""Seconds after the last sign of a sweep in which late words of its runs may still come."""
MOST_REMEMBERED = 50_000
"""Sweeps."""


@dataclass(frozen=True, slots=True)
class ListedSweep:
    """A sweep with what has become of it.

    Attributes:
        sweep: Its row.
        project: Where it is.
        counts: Its own runs by state.
        active_at: When something last happened to it, in seconds since 1970.
        agents: Of each machine with agents, when one of them was last heard.
    """

    sweep: Sweep
    project: Project
    counts: Mapping[str, int] = field(default_factory=dict)
    active_at: float = 0.0
    agents: Mapping[str, float] = field(default_factory=dict)


def visible(db: sqlite3.Connection, project: str | None = None, entity: str | None = None) -> list[Project]:
    """List the projects that are there for who asks, of one name or one entity, or all."""
    query = "SELECT * FROM projects WHERE (:name IS NULL OR name = :name) AND (:entity IS NULL OR entity = :entity)"
    unseen = privacy.hidden(db)
    found = (Project(*row) for row in db.execute(query, {"name": project, "entity": entity}))
    return [place for place in found if place.id not in unseen]


def all_of(db: sqlite3.Connection, places: Collection[Project]) -> list[ListedSweep]:
    """List the sweeps of some projects, what was active last first."""
    by_id = {place.id: place for place in places}
    known = of_projects(db, by_id)
    given = {"sweeps": json.dumps([sweep.id for sweep in known])}
    counts, active = _counts(db, given), _last_signs(db, given)
    agents = _agents(db, given)
    listed = [
        ListedSweep(
            sweep,
            by_id[sweep.project_id],
            counts[sweep.id],
            max(sweep.created_at, sweep.updated_at, sweep.heartbeat_at or 0.0, active.get(sweep.id, 0.0)),
            agents[sweep.id],
        )
        for sweep in known
    ]
    return sorted(listed, key=lambda one: one.active_at, reverse=True)


def counts_of(db: sqlite3.Connection, sweep_id: int) -> Mapping[str, int]:
    """Count the runs of one sweep by state."""
    return _counts(db, {"sweeps": json.dumps([sweep_id])})[sweep_id]


def _counts(db: sqlite3.Connection, given: Mapping[str, str]) -> Mapping[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    query = f"SELECT sweep_id, state, count(*) {_LISTED} GROUP BY sweep_id, state"
    for sweep_id, state, count in db.execute(query, given):
        found[sweep_id][state] = count
    # what is only offered has no run yet for who looks; there are as many at most as agents
    query = (
        "SELECT sweep_id, state, count(*) FROM runs INDEXED BY runs_offered WHERE offered"
        " AND sweep_id IN (SELECT value FROM json_each(:sweeps)) GROUP BY sweep_id, state"
    )
    for sweep_id, state, count in db.execute(query, given):
        found[sweep_id][state] -= count
    return found


def _last_signs(db: sqlite3.Connection, given: Mapping[str, str]) -> dict[int, float]:
    """Give when a run of each sweep last ended, or was heard if it goes on: only rows of the latter are read."""
    ended = f"SELECT sweep_id, max(ended_at) AS at {_LISTED} AND ended_at IS NOT NULL GROUP BY sweep_id, state"
    heard = f"SELECT sweep_id, max(heartbeat_at) AS at {_LISTED} AND state IN ({_UNFINISHED}) GROUP BY sweep_id"
    query = f"SELECT sweep_id, max(at) FROM ({ended} UNION ALL {heard}) GROUP BY sweep_id"  # noqa: S608
    return dict(db.execute(query, given).fetchall())


def _agents(db: sqlite3.Connection, given: Mapping[str, str]) -> Mapping[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = defaultdict(dict)
    query = (
        "SELECT sweep_id, host, max(heartbeat_at) FROM agents WHERE sweep_id IN (SELECT value FROM json_each(:sweeps))"
        " GROUP BY sweep_id, host"
    )
    for sweep_id, host, at in db.execute(query, given):
        found[sweep_id][host] = at
    return found


def best_of(db: sqlite3.Connection, sweep: Sweep, outline: Outline) -> tuple[str, float] | None:
    """Give the best run of a sweep and its value of the metric; None before the first, or with none or several.

    Args:
        db: A connection.
        sweep: The sweep.
        outline: Its file in short: to parse the file takes longer than all the rest.
    """
    return next(iter(best_runs(db, sweep, outline, 1)), None)


class BestOfThePast:
    """The best runs of sweeps that are over, remembered: of a year of them nothing changes from list to list.

    A sweep counts as over when nothing has happened to it for a while. Whatever happens to it then shows in what it is
    remembered by, but for one thing: a person who changes the summary of an ended run; who stores that, says so.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._known: dict[str, tuple[object, tuple[str, float] | None]] = {}

    def best_of(
        self, db: sqlite3.Connection, one: ListedSweep, outline: Outline, *, now: float, changes: int
    ) -> tuple[str, float] | None:
        """Give what `best_of` gives, remembered where the sweep is over.

        Args:
            db: A connection.
            one: The sweep.
            outline: Its file in short.
            now: The time.
            changes: What `changes` was before the connection began to read: what was forgotten since is not kept.
        """
        going = any(one.counts.get(state) for state in ("pending", "running", "preempting", "preempted"))
        if going or now - one.active_at < SETTLED_S:
            return best_of(db, one.sweep, outline)
        mark = (one.sweep.definition_text, one.sweep.updated_at, one.active_at, sorted(one.counts.items()))
        known = self._known.get(one.sweep.name)
        if known is None or known[0] != mark:
            known = (mark, best_of(db, one.sweep, outline))
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            if changes == self.changes:
                self._known[one.sweep.name] = known
        return known[1]

    def forget(self) -> None:
        """Forget all: the summary of a run that has ended was changed."""
        self.changes += 1
        self._known.clear()


def best_runs(db: sqlite3.Connection, sweep: Sweep, outline: Outline, number: int) -> list[tuple[str, float]]:
    """Give the best runs of a sweep, so many at most, each with its value, the best first and of equals the earliest.

    None where it has no metric, or several.
    """
    metric, goal = outline.metric, outline.goal
    if metric is None:
        return []
    if may_aggregate(metric.name):  # what `loss.mean` is, only the values tell
        known = [run for run in run_digests.all_of(db, sweep) if not run.prior and run.may_lead]
        found = [(run.id, value) for run in known if (value := run.best(goal)) is not None]
    else:
        extreme, order = ("lowest", "ASC") if goal == "minimize" else ("highest", "DESC")
        query = _BEST.format(extreme=extreme, order=order, leads=_LEADS)
        found = [tuple(row) for row in db.execute(query, {"sweep": sweep.id, "number": number})]
        found += _from_summaries(db, sweep.id, metric.name, goal)
    return sorted(found, key=lambda pair: sign(goal) * pair[1])[:number]


def _from_summaries(db: sqlite3.Connection, sweep_id: int, metric: str, goal: Goal) -> list[tuple[str, float]]:
    """Find the metric in the summaries of runs that never logged it: `run.summary["acc"] = 0.9` alone."""
    rows = db.execute(_WITHOUT_VALUE.format(leads=_LEADS), {"sweep": sweep_id})
    values = ((row["name"], finite([in_summary(json.loads(row["summary"]), metric, goal)])) for row in rows)
    return [(name, *number) for name, number in values if number]


def names(db: sqlite3.Connection, project_ids: Collection[int], limit: int) -> list[tuple[int, str, str | None, str]]:
    """Give project, id, display name and state of the sweeps of some projects, the newest first."""
    query = (
        "SELECT project_id, name, display_name, state FROM sweeps"
        " WHERE project_id IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"
    )
    return [tuple(row) for row in db.execute(query, (json.dumps([*project_ids]), limit))]


def run_names(db: sqlite3.Connection, sweep_id: int, prefix: str, limit: int) -> list[tuple[str, str, str]]:
    """Give id, display name and state of a sweep's runs whose ids begin so, the newest first."""
    query = (
        "SELECT name, display_name, state FROM runs WHERE sweep_id = :sweep AND NOT offered"
        " AND substr(name, 1, length(:prefix)) = :prefix ORDER BY id DESC LIMIT :limit"
    )
    return [tuple(row) for row in db.execute(query, {"sweep": sweep_id, "prefix": prefix, "limit": limit})]
