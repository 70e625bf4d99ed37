"""Lists of runs, page by page: what a page costs does not grow with the list.

In the order in which runs were made, and by a filter that SQL can say, a page is looked up behind its cursor. For every
other list the row ids are worked out once and kept for as long as nothing is written: a client that walks through ten
thousand runs asks for two hundred pages, each with the same filter and order.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

from sweeper.server.budget import Budget
from sweeper.server.store import filter_sql, run_filters, runs
from sweeper.server.store.database import Store
from sweeper.server.store.filter_sql import Condition
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

KEPT = 32
"""Lists that are kept; one of ten thousand runs takes 80 KB."""


@dataclass(frozen=True, slots=True)
class RunList:
    """Which runs, in which order.

    Attributes:
        project_id: Those of this project.
        filters: The filter, as it was sent; None for all runs.
        order: The order, such as `-created_at`; None for the oldest first.
        sweep: Those that this sweep sees; None for all of the project.
    """

    project_id: int
    filters: str | None = None
    order: str | None = None
    sweep: Sweep | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of a list of runs.

    Attributes:
        runs: The runs.
        start: How many come before them.
        more: Whether others come behind them.
    """

    runs: list[StoredRun]
    start: int
    more: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind a run, or behind so many where that run is gone."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class _Known:
    ids: array[int]
    work: int


class _Lists:
    """The lists that are known of one database."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mark = -1
        self._known: OrderedDict[RunList, _Known] = OrderedDict()

    def get(self, which: RunList, mark: int, budget: Budget, make: Callable[[], array[int]]) -> array[int]:
        """Give a list, worked out anew if something has been written; it costs its asker the same each time."""
        with self._lock:
            if mark != self._mark:
                self._known.clear()
                self._mark = mark
            known = self._known.get(which)
        if known is not None:
            budget.pay(known.work)
            return known.ids
        before = budget.work
        ids = make()
        with self._lock:
            if mark == self._mark:
                self._known[which] = _Known(ids, before - budget.work)
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        return ids


_LISTS: WeakKeyDictionary[Store, _Lists] = WeakKeyDictionary()


def page(store: Store, which: RunList, *, limit: int, place: Place | None, budget: Budget) -> RunPage:
    """Read one page of a list of runs.

    Args:
        store: The database.
        which: The list.
        limit: How many runs.
        place: Where it begins; None for the start.
        budget: Pays for what is compared.

    Raises:
        RequestError: The filter or the order cannot be read.
        SpentError: The budget does not suffice.
    """
    mark = store.mark  # before the read: what is written meanwhile makes the list an old one
    with store.read() as db:
        said = _said(which)
        if said is None or (which.order or "+created_at").lstrip("+-") not in {"created_at", "createdAt"}:
            ids = _ids(store, db, which, mark, budget)
            start = _position(db, which, ids, place)
            return RunPage(with_ids(db, ids[start : start + limit]), start, start + limit < len(ids))
        return _looked_up(db, which, said, limit, place)


def count(store: Store, which: RunList, budget: Budget) -> int:
    """Count the runs of a list.

    Raises:
        RequestError: The filter cannot be read.
        SpentError: The budget does not suffice.
    """
    mark = store.mark
    with store.read() as db:
        return len(_ids(store, db, RunList(which.project_id, which.filters, None, which.sweep), mark, budget))


def _said(which: RunList) -> tuple[Condition, str | None] | None:
    """Give the condition and the sweep of a list, if SQL can say all of it."""
    condition = run_filters.read_filter(which.filters)
    said, left = filter_sql.split(condition)
    if left:
        return None
    return said, which.sweep.name if which.sweep else run_filters.sweep_named_in(condition)


def _ids(store: Store, db: sqlite3.Connection, which: RunList, mark: int, budget: Budget) -> array[int]:
    """Give the row ids of a list in its order."""
    lists = _LISTS.setdefault(store, _Lists())

    def make() -> array[int]:
        said = _said(which)
        if said is not None and which.order is None:
            query, values = _source(which, said)
            return array("q", (row["id"] for row in db.execute(f"{query} ORDER BY id", values)))
        found = run_filters.find(db, which.project_id, which.filters, which.order, which.sweep, budget=budget)
        return array("q", [candidate.stored.id for candidate in found])

    return lists.get(which, mark, budget, make)


def _position(db: sqlite3.Connection, which: RunList, ids: array[int], place: Place | None) -> int:
    """Find where a page begins in a list."""
    if place is None:
        return 0
    run = runs.find(db, which.project_id, place.name)
    try:
        return ids.index(run.id) + 1 if run else place.index
    except ValueError:
        return place.index


def _looked_up(
    db: sqlite3.Connection, which: RunList, said: tuple[Condition, str | None], limit: int, place: Place | None
) -> RunPage:
    """Look a page up behind the run before it."""
    after = runs.find(db, which.project_id, place.name) if place else None
    skip = place.index if place and after is None else 0
    behind, key = _behind(after, which.order)
    source, values = _source(which, said, behind)
    query = f"{source} ORDER BY {key} LIMIT ? OFFSET ?"
    ids = [row["id"] for row in db.execute(query, (*values, limit + 1, skip))]
    return RunPage(with_ids(db, ids[:limit]), place.index if place else 0, len(ids) > limit)


def _behind(after: StoredRun | None, order: str | None) -> tuple[Condition, str]:
    """Say what comes behind a run in an order, and the order; of equals the older one comes first, as in any list."""
    if not order:
        return (filter_sql.TRUE if after is None else Condition("r.id > ?", (after.id,))), "id"
    sign, direction = ("<", " DESC") if order.startswith("-") else (">", "")
    behind = filter_sql.TRUE
    if after is not None:
        text = f"(r.created_at {sign}= ? AND (r.created_at {sign} ? OR r.id > ?))"
        behind = Condition(text, (after.created_at, after.created_at, after.id))
    return behind, f"created_at{direction}, id"


def _source(
    which: RunList, said: tuple[Condition, str | None], behind: Condition = filter_sql.TRUE
) -> tuple[str, tuple[object, ...]]:
    """Write the query of a list's runs, unordered, each by its row id."""
    condition, sweep = said
    where = f"r.project_id = ? AND NOT r.offered AND {condition.text} AND {behind.text}"
    values = (which.project_id, *condition.values, *behind.values)
    chosen = "SELECT r.id, r.created_at FROM"
    if sweep is None:
        return f"{chosen} runs r WHERE {where}", values
    # in two parts: each is then read in the order of an index, and no further than the page goes
    its_id = "(SELECT id FROM sweeps WHERE name = ?)"
    own = f"{chosen} runs r WHERE r.sweep_id = {its_id} AND {where}"
    prior = f"{chosen} prior_runs p JOIN runs r ON r.id = p.run_id WHERE p.sweep_id = {its_id} AND {where}"
    return f"{own} UNION {prior}", (sweep, *values, sweep, *values)


def with_ids(db: sqlite3.Connection, ids: Sequence[int]) -> list[StoredRun]:
    """Read runs by their row ids, in the order of these."""
    found = {run.id: run for run in runs.where(db, "id IN (SELECT value FROM json_each(?))", (json.dumps([*ids]),))}
    return [found[id_] for id_ in ids if id_ in found]
