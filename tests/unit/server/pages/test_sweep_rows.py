"""A line of a list of sweeps: its runs on a bar and in words, and what they have taken, added up once."""

from __future__ import annotations

import pytest

from sweeper.run import RunState
from sweeper.server.pages import sweep_rows
from sweeper.server.pages.sweep_rows import KINDS, address, listed_in, rows_of
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.store import page_lists, projects, runs
from sweeper.server.store.database import MEMORY, Store
from tests.unit.server.conftest import Table

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [1, 2, 3, 4]}}}


@pytest.fixture
def row():
    """A table with a sweep, and what gives its line."""
    store = Store(MEMORY)
    table = Table(Dispatcher(store))
    sweep = table.sweep(GRID)

    def line():
        with store.read() as db:
            listed = listed_in(db, projects.all_of(db))
            (found,) = rows_of(db, listed, table.dispatcher, now=table.now, changes=0)
        return found

    yield table, sweep, line
    store.close()


def test_its_runs_lie_on_a_bar_and_are_told(row):
    """A piece for each of the five words, as wide as its share of what is expected."""
    table, sweep, line = row
    assert (line().in_words, [*line().segments], line().state) == ("4 to come", [], "idle")
    agent = table.agent(sweep)
    assert line().state == "waiting"
    run = table.given(agent)
    table.start(run)
    table.log(run, 3.0, 2.0)
    assert (line().state, line().done, line().in_words) == ("running", 0, "1 running, 3 to come")
    assert line().at_work == "host"
    table.now += 60
    table.complete(run)
    table.start(table.given(agent))
    assert line().at_work.endswith("left, host")
    told = line()
    assert (told.done, told.total, told.best) == (1, 2, (run.name, 2.0))
    assert [*told.segments] == [("finished", 0.0, 25.0), ("running", 25.0, 25.0)]
    assert told.best_page == f"/local/p/runs/{run.name}"


def test_what_its_runs_have_taken_is_added_up_again_when_something_happens(row, monkeypatch):
    """Of a sweep that is over it is remembered."""
    table, sweep, line = row
    run = table.given(table.agent(sweep))
    table.start(run)
    table.now += 100
    table.complete(run)
    took = line().compute_s
    assert took == pytest.approx(100, abs=10)
    asked = []
    real = page_lists.compute_times
    monkeypatch.setattr(sweep_rows.page_lists, "compute_times", lambda db, ids: asked.append(ids) or real(db, ids))
    assert line().compute_s == took
    assert asked == []
    with table.store.write() as db:
        runs.update(db, run.id, ended_at=table.now + 50)
    assert line().compute_s == took + 50


def test_every_state_of_a_run_has_its_word():
    """Or it would be missing on the bar."""
    assert sorted(state for states in KINDS.values() for state in states) == sorted(state.value for state in RunState)


def test_an_address_holds_any_name():
    """A slash is no part of one, and everything else is quoted."""
    assert address("a b", "c+d", "runs", "é") == "/a%20b/c%2Bd/runs/%C3%A9"
