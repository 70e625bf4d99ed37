"""A page's mark is another one after whatever happens to what it shows, and the same if that was elsewhere."""

from __future__ import annotations

import pytest

from sweeper.run import SweepState
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.store import page_marks, sweeps
from sweeper.server.store.database import MEMORY, Store
from tests.unit.server.conftest import Table

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [1, 2, 3]}}}


@pytest.fixture
def seen():
    """A table with two sweeps, and what marks all that pages show of the first one and its run."""
    store = Store(MEMORY)
    table = Table(Dispatcher(store))
    sweep, other = table.sweep(GRID), table.sweep(GRID)
    run = table.given(table.agent(sweep))

    def marks():
        with store.read() as db:
            return {
                "home": page_marks.of_home(db),
                "project": page_marks.of_project(db, sweep.project_id),
                "sweep": page_marks.of_sweep(db, sweep.id),
                "run": page_marks.of_runs(db, [run.id]),
            }

    yield table, sweep, other, run, marks
    store.close()


def changed(marks, act):
    before = marks()
    act()
    after = marks()
    return {topic for topic in before if before[topic].text != after[topic].text}


def test_what_happens_to_a_run_shows_wherever_it_is_shown(seen):
    """Its start, its values, its end; nothing happens by looking."""
    table, _, _, run, marks = seen
    assert changed(marks, lambda: None) == set()
    table.now += 1
    assert changed(marks, lambda: table.start(run)) == {"home", "project", "sweep", "run"}
    assert changed(marks, lambda: table.log(run, 1.0, 2.0)) == {"run"}
    table.now += 1
    assert changed(marks, lambda: table.complete(run)) == {"home", "project", "sweep", "run"}
    assert marks()["run"].at == marks()["sweep"].at == table.now


def test_what_happens_elsewhere_does_not(seen):
    """Another sweep's state is news for lists alone."""
    table, sweep, other, _, marks = seen
    table.now += 1
    assert changed(marks, lambda: table.set_state(other, SweepState.PAUSED)) == {"home", "project"}
    assert changed(marks, lambda: table.set_state(sweep, SweepState.PAUSED)) == {"home", "project", "sweep"}


def test_what_is_deleted_is_gone(seen):
    """And says so, whatever it was."""
    table, sweep, _, _, marks = seen
    with table.store.write() as db:
        sweeps.delete(db, sweep.id)
    assert marks()["sweep"] == marks()["run"] == page_marks.GONE
