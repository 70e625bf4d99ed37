"""Filters and orders of runs in W&B's form: Mongo-like JSON, and `+created_at` or `-summary_metrics.loss`."""

from __future__ import annotations

import json
import math
import operator
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import re2

from sweeper.run import lookup
from sweeper.server import strict_json
from sweeper.server.errors import RequestError
from sweeper.server.store import runs, sweeps
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

MISSING = object()
MAX_PATTERN = 200
MAX_COMPARISONS = 5_000_000
"""Conditions of a filter times runs to look at: some seconds."""
_TIMES = {
    "created_at": "created_at",
    "createdAt": "created_at",
    "heartbeat_at": "heartbeat_at",
    "heartbeatAt": "heartbeat_at",
    "updated_at": "heartbeat_at",
    "updatedAt": "heartbeat_at",
}
_COLUMNS = {
    "name": "name",
    "state": "state",
    "display_name": "display_name",
    "displayName": "display_name",
    "group": "group_name",
    "jobType": "job_type",
    "job_type": "job_type",
    "description": "description",
    "notes": "notes",
    "host": "host",
    **_TIMES,
}


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
        """The summary."""
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
        if section in {"summary_metrics", "summaryMetrics"} and rest:
            return _present(lookup(self.summary, rest))
        return _present(self._own(key))

    def _own(self, key: str) -> Any:
        if key in _COLUMNS:
            return getattr(self.stored, _COLUMNS[key])
        sweep = self.sweeps[0] if len(self.sweeps) == 1 else list(self.sweeps)
        own = {"sweep": sweep, "username": self.username, "user.username": self.username}
        if key in own:
            return own[key]
        if key == "tags":
            return json.loads(self.stored.tags)
        known = ", ".join(sorted({*_COLUMNS, "tags", *own}))
        raise RequestError(f"runs have no {key!r}: use config.NAME, summary_metrics.NAME, {known}")


def _present(value: Any) -> Any:
    return MISSING if value is None else value


def matches(condition: object, run: Candidate) -> bool:
    """Tell whether a filter holds for a run.

    Raises:
        RequestError: The filter has an unknown operator or key.
    """
    if not isinstance(condition, Mapping):
        raise RequestError(f"a filter is a JSON object, not {condition!r}")
    return all(_holds(key, wanted, run) for key, wanted in condition.items())


def _holds(key: str, wanted: Any, run: Candidate) -> bool:
    if key in {"$and", "$or", "$nor"}:
        if not isinstance(wanted, list):
            raise RequestError(f"{key} takes a list of filters")
        found = [matches(part, run) for part in wanted]
        return all(found) if key == "$and" else any(found) is (key == "$or") if found else True
    if key == "$not":
        return not matches(wanted, run)
    if key.startswith("$"):
        raise RequestError(f"unknown operator {key!r}; a filter combines with $and, $or, $nor, $not")
    return _compare(key, run.get(key), wanted)


def _compare(key: str, value: Any, wanted: Any) -> bool:
    """Compare one value with a constant or with `{"$gt": ...}`."""
    if not (isinstance(wanted, Mapping) and any(name.startswith("$") for name in wanted)):
        return _equal(value, _operand(key, wanted))
    for name, operand in wanted.items():
        if name == "$not":
            if _compare(key, value, operand):
                return False
        elif name not in _OPERATORS:
            raise RequestError(f"unknown operator {name!r}; choose from {', '.join(_OPERATORS)}, $not")
        elif not _OPERATORS[name](value, _operand(key, operand)):
            return False
    return True


def _operand(key: str, wanted: Any) -> Any:
    """Read a constant; times come as text."""
    if key not in _TIMES or not isinstance(wanted, str):
        return wanted
    try:
        moment = datetime.fromisoformat(wanted)
    except ValueError as error:
        raise RequestError(f"{wanted!r} is not a time: write 2026-01-31T12:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _equal(value: Any, wanted: Any) -> bool:
    if value is MISSING:
        return wanted is None
    if isinstance(value, list) and not isinstance(wanted, list):
        return wanted in value
    if isinstance(value, bool) is not isinstance(wanted, bool):
        return False
    return bool(value == wanted)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Make an order of numbers or of texts; anything else, or one of each, is not in order."""

    def check(value: Any, wanted: Any) -> bool:
        numbers = isinstance(value, int | float) and isinstance(wanted, int | float)
        texts = isinstance(value, str) and isinstance(wanted, str)
        return (numbers or texts) and compare(value, wanted)

    return check


def _in(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, list):
        raise RequestError("$in and $nin take a list")
    return any(_equal(value, item) for item in wanted)


def _regex(value: Any, pattern: Any) -> bool:
    compiled = _compiled(pattern) if isinstance(pattern, str) else None
    if compiled is None:
        raise RequestError("$regex takes a pattern")
    found = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and compiled.search(_encoded(text)) is not None for text in found)


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")  # half a surrogate pair matches as a question mark


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    """Compile a pattern for RE2, whose time is linear in the text: Python's own can take for ever.

    Raises:
        RequestError: It is none, or has what RE2 lacks: look-around and back references.
    """
    options = re2.Options()
    options.log_errors, options.max_mem = False, 2**20
    try:
        if len(pattern) <= MAX_PATTERN:
            return re2.compile(_encoded(pattern), options=options)
    except re2.error as error:
        fault = error.args[0].decode(errors="replace")
        raise RequestError(f"{pattern!r} is not a regular expression (RE2): {fault}") from error
    raise RequestError(f"$regex takes a pattern of at most {MAX_PATTERN} characters")


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equal,
    "$ne": lambda value, wanted: not _equal(value, wanted),
    "$gt": _ordered(operator.gt),
    "$gte": _ordered(operator.ge),
    "$lt": _ordered(operator.lt),
    "$lte": _ordered(operator.le),
    "$in": _in,
    "$nin": lambda value, wanted: not _in(value, wanted),
    "$regex": _regex,
    "$exists": lambda value, wanted: (value is not MISSING) is bool(wanted),
}


def find(
    db: sqlite3.Connection, project_id: int, wanted: str | None, order: str | None = None, sweep: Sweep | None = None
) -> list[Candidate]:
    """Read the runs of a project, or those a sweep sees, that a filter holds for, in the order asked for.

    Raises:
        RequestError: The filter or the order cannot be read.
    """
    names = {found.id: found.name for found in sweeps.of_project(db, project_id)}
    users = dict(db.execute("SELECT id, name FROM users").fetchall())
    attached: dict[int, list[str | None]] = {}
    for link in db.execute("SELECT run_id, sweep_id FROM prior_runs"):
        attached.setdefault(link["run_id"], []).append(names.get(link["sweep_id"]))
    restricted = sweep.name if sweep else _sweep_named_in(wanted)
    if restricted is None:
        found = runs.where(db, "project_id = ?", (project_id,))
    else:
        found = runs.seen_by(db, next((id_ for id_, name in names.items() if name == restricted), -1))
    known = [
        Candidate(run, (names.get(run.sweep_id or 0), *attached.get(run.id, ())), users.get(run.user_id))
        for run in found
    ]
    return _select(known, wanted, order)


def _select(known: Sequence[Candidate], filters: str | None, order: str | None) -> list[Candidate]:
    """Filter and order runs; the oldest first without an order, those without its key last."""
    condition = strict_json.parse_object(filters, "the filter") if filters else {}
    if filters and filters.count('"') // 2 * len(known) > MAX_COMPARISONS:
        raise RequestError(f"the filter is too long for {len(known)} runs")
    found = [run for run in known if matches(condition, run)]
    if not order:
        return found
    key = order.lstrip("+-")
    keyed = [(_sort_key(run.get(key)), run) for run in found]
    with_key = [(rank, run) for rank, run in keyed if rank is not None]
    with_key.sort(key=operator.itemgetter(0), reverse=order.startswith("-"))
    return [run for _, run in with_key] + [run for rank, run in keyed if rank is None]


def _sort_key(value: Any) -> tuple[int, Any] | None:
    """Rank numbers before texts; None for what has no place in an order."""
    if isinstance(value, int | float) and math.isfinite(value):
        return 0, value
    return (1, value) if isinstance(value, str) else None


def _sweep_named_in(filters: str | None) -> str | None:
    """Find the sweep that a filter restricts itself to, so that only its runs need to be read."""
    condition = strict_json.parse_object(filters, "the filter") if filters else {}
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
