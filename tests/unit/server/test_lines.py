"""The values of a sweep's metric: numbered, with their extremes, however they are delivered."""

from __future__ import annotations

import json
import math
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.run import RunState
from sweeper.server import lines, projects, runs
from sweeper.server.lines import HistoryLine
from sweeper.server.store import MEMORY, Store, _migrations, _statements

VALUES = st.sampled_from([0.0, 1.0, -1.0, 2.5, math.nan, math.inf, None])
DELIVERIES = st.lists(st.tuples(st.integers(0, 8), st.lists(VALUES, max_size=5)), max_size=8)


def line(number: int, value: float | None) -> HistoryLine:
    row = {} if value is None else {"loss": value}
    return HistoryLine(number, json.dumps(row), row)


@given(DELIVERIES)
@settings(max_examples=60, deadline=None)
def test_values_are_numbered_by_line_whatever_the_order_of_delivery(deliveries):
    """Lines sent again, changed, late or with gaps leave the same numbers as one clean delivery."""
    store, final = Store(MEMORY), {}
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        run = runs.create(db, place.id, "r", state=RunState.RUNNING, now=0)
        for offset, values in deliveries:
            lines.put_metric(db, run.id, "loss", [line(offset + i, value) for i, value in enumerate(values)])
            final |= {offset + i: value for i, value in enumerate(values)}
        found = db.execute("SELECT line, value, iteration, lowest, highest FROM metric_values ORDER BY line")
        stored = [tuple(row) for row in found]
        bad = lines.nonfinite(db, run.id)
    store.close()
    logged = [(number, value) for number, value in sorted(final.items()) if value is not None]
    finite = [(number, value) for number, value in logged if math.isfinite(value)]
    so_far = [[value for _, value in finite[: i + 1]] for i in range(len(finite))]
    assert stored == [(*pair, i + 1, min(so_far[i]), max(so_far[i])) for i, pair in enumerate(finite)]
    assert bad == len(logged) - len(finite)


def test_values_stored_before_they_were_numbered_are_numbered(tmp_path):
    """A database of the first version gets iterations and extremes for what it holds."""
    path = tmp_path / "db"
    _first_version(path, [(1, 0, 3.0), (1, 4, 1.0), (1, 5, 2.0), (2, 0, 7.0)])
    store = Store(path)
    with store.read() as db:
        found = db.execute("SELECT run_id, line, iteration, lowest, highest FROM metric_values ORDER BY run_id, line")
        assert [tuple(row) for row in found] == [
            (1, 0, 1, 3.0, 3.0),
            (1, 4, 2, 1.0, 3.0),
            (1, 5, 3, 1.0, 3.0),
            (2, 0, 1, 7.0, 7.0),
        ]
        assert [run.stop for run in runs.where(db, "true", ())] == ["", ""]
    store.close()


def _first_version(path, values):
    name, sql = _migrations()[1]
    db = sqlite3.connect(path)
    for statement in _statements(sql):
        db.execute(statement)
    db.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")
    db.execute("INSERT INTO migrations VALUES (1, ?)", (name,))
    db.execute("INSERT INTO projects VALUES (1, 'local', 'p', 0)")
    for run in ("a", "b"):
        columns = "project_id, name, display_name, state, created_at, heartbeat_at"
        query = f"INSERT INTO runs ({columns}) VALUES (1, ?, ?, ?, 0, 0)"  # noqa: S608
        db.execute(query, (run, run, "finished"))
    db.executemany("INSERT INTO metric_values VALUES (?, ?, ?)", values)
    db.commit()
    db.close()


@pytest.mark.parametrize(("line_number", "known"), [(0, 0), (1, 1), (2, 1), (3, 2), (99, 2)])
def test_the_values_before_a_line_are_counted(line_number, known):
    """Finite values only: what a delivery adds is what lies at its first line and after."""
    store = Store(MEMORY)
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        run = runs.create(db, place.id, "r", state=RunState.RUNNING, now=0)
        lines.put_metric(db, run.id, "loss", [line(0, 1.0), line(1, math.nan), line(2, 2.0)])
        assert lines.iterations(db, run.id, line_number) == known
    store.close()
