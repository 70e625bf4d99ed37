"""The values of a sweep's metric: numbered, with their extremes, however they are delivered."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.run import RunState
from sweeper.server.store import lines, projects, runs, sweeps, users
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.lines import HistoryLine

VALUES = st.sampled_from([0.0, 1.0, -1.0, 2.5, math.nan, math.inf, None])
DELIVERIES = st.lists(st.tuples(st.integers(0, 8), st.lists(VALUES, max_size=5)), max_size=8)


def line(number: int, value: float | None) -> HistoryLine:
    row = {} if value is None else {"loss": value}
    return HistoryLine(number, json.dumps(row), row)


def _sweep_and_run(db) -> tuple[int, int]:
    user = users.ensure_user(db, "local", "k" * 40, now=0)
    place = projects.ensure(db, "local", "p", now=0)
    text = "{method: random, metric: {name: loss}, parameters: {x: {min: 0.0, max: 1.0}}}"
    sweep = sweeps.create(db, place.id, text, user_id=user.id, seed=1, display_name=None, now=0)
    return sweep.id, runs.create(db, place.id, "r", state=RunState.RUNNING, now=0, sweep_id=sweep.id).id


@given(DELIVERIES)
@settings(max_examples=60, deadline=None)
def test_values_are_numbered_by_line_whatever_the_order_of_delivery(deliveries):
    """Lines sent again, changed, late or with gaps leave the same numbers as one clean delivery."""
    store, final = Store(MEMORY), {}
    with store.write() as db:
        sweep_id, run_id = _sweep_and_run(db)
        for offset, values in deliveries:
            lines.put_metric(db, sweep_id, run_id, "loss", [line(offset + i, value) for i, value in enumerate(values)])
            final |= {offset + i: value for i, value in enumerate(values)}
        found = db.execute("SELECT line, value, iteration, lowest, highest FROM metric_values ORDER BY line")
        stored = [tuple(row) for row in found]
        bad = lines.nonfinite(db, sweep_id, run_id)
    store.close()
    logged = [(number, value) for number, value in sorted(final.items()) if value is not None]
    finite = [(number, value) for number, value in logged if math.isfinite(value)]
    so_far = [[value for _, value in finite[: i + 1]] for i in range(len(finite))]
    assert stored == [(*pair, i + 1, min(so_far[i]), max(so_far[i])) for i, pair in enumerate(finite)]
    assert bad == len(logged) - len(finite)


@pytest.mark.parametrize(("line_number", "known"), [(0, 0), (1, 1), (2, 1), (3, 2), (99, 2)])
def test_the_values_before_a_line_are_counted(line_number, known):
    """Finite values only: what a delivery adds is what lies at its first line and after."""
    store = Store(MEMORY)
    with store.write() as db:
        sweep_id, run_id = _sweep_and_run(db)
        lines.put_metric(db, sweep_id, run_id, "loss", [line(0, 1.0), line(1, math.nan), line(2, 2.0)])
        assert lines.iterations(db, sweep_id, run_id, line_number) == known
    store.close()
