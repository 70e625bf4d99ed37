"""The runs that a filter holds for, in the order asked for, such as `+created_at` or `-summary_metrics.loss`."""

from __future__ import annotations

import json
import math
import operator
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sweeper.metric_value import in_summary, lookup, may_aggregate
from sweeper.run import Goal, may_lead
from sweeper.server import strict_json
from sweeper.server.budget import Budget
from sweeper.server.errors import RequestError
from sweeper.server.store import filter_sql, runs, seen_runs, sweeps
from sweeper.server.store.filter_conditions import COLUMNS, MISSING, Work, matches
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

MAX_FILTER = 2**20
"""Characters of a filter: the names of 20,000 runs."""
NO_AGGREGATES: Mapping[str, float | None] = {}
_SUMMARY = ("summary_metrics", "summaryMetrics")


@dataclass(frozen=True)
class Candidate:
    """A run with what filters may ask about.

    Attributes:
        stored: The run.
        sweeps: The ids, as users see them, of its sweep (None if it has none) and of those it is attached to.
        username: Whose it is.
    """

    stored: StoredRun
    sweeps: tuple[str | None, ...] = (None,)
    username: str | None = None

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config as sent: `{"lr": {"value": 0.1}}`."""
        return dict(json.loads(self.stored.config))

    @cached_property
    def values(self) -> dict[str, Any]:
        """The config as the trainer saw it: `{"lr": 0.1}`."""
        wrapped = {name: entry for name, entry in self.config.items() if isinstance(entry, dict)}
        return {name: entry["value"] for name, entry in wrapped.items() if "value" in entry}

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The summary as sent; NaN and infinities are numbers."""
        return dict(json.loads(self.stored.summary))

    def get(self, key: str) -> Any:
        """Look up what a filter calls `key`; MISSING if the run has no such thing.

        Raises:
            RequestError: No run has such a thing.
        """
        section, _, rest = key.partition(".")
        if section == "config" and rest:
            found = lookup(self.values, rest)
            return _present(found if found is not None else lookup(self.config, rest))
        if section in _SUMMARY and rest:
            return _present(lookup(self.summary, rest))
        return _present(self._own(key))

    @property
    def may_lead(self) -> bool:
        """Whether it may be the best of its sweep."""
        return may_lead(self.stored.state, stopped_early=bool(self.stored.stop))

    def _own(self, key: str) -> Any:
        if key in COLUMNS:
            return getattr(self.stored, COLUMNS[key])
        sweep = self.sweeps[0] if len(self.sweeps) == 1 else list(self.sweeps)
        own = {"sweep": sweep, "username": self.username, "user.username": self.username}
        if key in own:
            return own[key]
        if key == "tags":
            return json.loads(self.stored.tags)
        known = ", ".join(sorted({*COLUMNS, "tags", *own}))
        raise RequestError(f"runs have no {key!r}: use config.NAME, summary_metrics.NAME, {known}")


def _present(value: Any) -> Any:
    return MISSING if value is None else value


def find(
    db: sqlite3.Connection,
    project_id: int,
    wanted: str | None,
    order: str | None = None,
    sweep: Sweep | None = None,
    *,
    budget: Budget | None = None,
) -> list[Candidate]:
    """Read the runs of a project, or those a sweep sees, that a filter holds for, in the order asked for.

    The work is paid out of the budget of a request, or of one of its own.

    Raises:
        RequestError: The filter or the order cannot be read.
        SpentError: The budget does not suffice.
    """
    budget = budget or Budget()
    condition = read_filter(wanted)
    there = sweeps.of_project(db, project_id)
    names = {found.id: found.name for found in there}
    users = dict(db.execute("SELECT id, name FROM users").fetchall())
    # three queries and three mappings: a query for each run would be thousands
    attached: dict[int, list[str | None]] = {}
    for link in db.execute("SELECT run_id, sweep_id FROM prior_runs"):
        attached.setdefault(link["run_id"], []).append(names.get(link["sweep_id"]))
    # wandb.Api().sweep() asks for its runs by a filter: the others of the project need not be read
    restricted = sweep.name if sweep else sweep_named_in(condition)
    said, left = filter_sql.split(condition if sweep is None else {"$and": [{"sweep": sweep.name}, condition]})
    found = runs.that_are(db, project_id, said)
    known = [
        Candidate(run, (names.get(run.sweep_id or 0), *attached.get(run.id, ())), users.get(run.user_id))
        for run in found
    ]
    chosen = next((known_sweep for known_sweep in there if known_sweep.name == restricted), None)
    if chosen is None:
        return select(known, left, order, budget, of_sweep=restricted is not None)
    return select(known, left, order, budget, of_sweep=True, aggregates=_aggregates(db, chosen, order or ""))


def read_filter(text: str | None) -> dict[str, Any]:
    """Read a filter as it was sent; one that holds for every run where none was.

    Raises:
        RequestError: It is none, or too long.
    """
    if text and len(text) > MAX_FILTER:
        raise RequestError(f"the filter has {len(text)} characters, at most {MAX_FILTER} are read")
    return strict_json.parse_object(text, "the filter") if text else {}


def _aggregates(db: sqlite3.Connection, sweep: Sweep, order: str) -> dict[str, float | None]:
    """Give each run's value of the metric if an order asks for it and it is an aggregate: summaries may lack it."""
    metric = sweep.definition.metric
    section, _, name = order.lstrip("+-").partition(".")
    if metric is None or section not in _SUMMARY or name != metric.name or not may_aggregate(name):
        return {}
    return {run.id: run.best(metric.goal) for run in seen_runs.for_search(db, sweep)}


def select(
    known: Sequence[Candidate],
    condition: Mapping[str, Any],
    order: str | None,
    budget: Budget,
    *,
    of_sweep: bool,
    aggregates: Mapping[str, float | None] = NO_AGGREGATES,
) -> list[Candidate]:
    """Filter and order runs; the oldest first without an order, those without its key last.

    Of one sweep's runs, ordered by what they have in their summaries, those that may not lead come behind those that
    may: `wandb.Api().sweep(...).best_run()` (0.31.0) takes the first.
    """
    work = Work(budget)
    found = [run for run in known if matches(condition, run, work)]
    if not order:
        return found
    key = order.lstrip("+-")
    down = order.startswith("-")
    section, _, metric = key.partition(".")
    of_summary = section in _SUMMARY and bool(metric)
    goal: Goal = "maximize" if down else "minimize"

    def value(run: Candidate) -> Any:
        if not of_summary:
            return run.get(key)
        found = in_summary(run.summary, metric, goal)
        return aggregates.get(run.stored.name) if found is None else found

    keyed = [(sort_key(value(run)), run) for run in found]
    with_key = [(rank, run) for rank, run in keyed if rank is not None]
    with_key.sort(key=operator.itemgetter(0), reverse=down)
    ranked = [run for _, run in with_key]
    if of_sweep and of_summary:
        ranked.sort(key=lambda run: not run.may_lead)
    return ranked + [run for rank, run in keyed if rank is None]


def sort_key(value: Any) -> tuple[int, Any] | None:
    """Rank numbers before texts; None for what has no place in an order."""
    # NaN compares with nothing, not even in a sort; an integer may be too large for isfinite
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return 0, value
    return (1, value) if isinstance(value, str) else None


def sweep_named_in(condition: Mapping[str, Any]) -> str | None:
    """Find the sweep that a filter restricts itself to, so that only its runs need to be read."""
    parts = condition.get("$and", []) if isinstance(condition.get("$and", []), list) else []
    for part in [condition, *parts]:
        if isinstance(part, Mapping) and isinstance(part.get("sweep"), str):
            return str(part["sweep"])
    return None


def names_in(filters: str) -> list[str]:
    """List the runs that a filter names one by one, as wandb.sweep (0.31.0) writes its `prior_runs`."""
    condition = strict_json.parse_object(filters, "the filter")
    parts = condition["$or"] if isinstance(condition.get("$or"), list) else [condition]
    return [part["name"] for part in parts if _names_one(part)]


def names_only(filters: str) -> list[str] | None:
    """List the runs of a filter that names runs one by one and says nothing else; None for any other filter."""
    condition = strict_json.parse_object(filters, "the filter")
    parts = condition["$or"] if condition.keys() == {"$or"} else None
    if not isinstance(parts, list) or not parts or not all(_names_one(part) for part in parts):
        return None
    return [part["name"] for part in parts]


def _names_one(part: object) -> bool:
    return isinstance(part, Mapping) and part.keys() == {"name"} and isinstance(part["name"], str)
