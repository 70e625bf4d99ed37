"""Runs that are gone, and what is kept of them."""

from __future__ import annotations

import json

import pytest

from sweeper.server.store import deleted_runs, lines, runs
from sweeper.server.store.lines import Stream


def test_a_buried_run_leaves_its_id_and_nothing_else(db, project, make_run):
    """Its lines go with it; an agent that still works on it must not make it anew."""
    run = make_run("r1")
    lines.put(db, run.id, Stream.EVENTS, 0, [json.dumps({"_step": 0})])
    assert lines.tail(db, run.id, Stream.EVENTS) != []
    deleted_runs.bury(db, run, now=5.0)
    assert runs.find(db, project.id, "r1") is None
    assert lines.tail(db, run.id, Stream.EVENTS) == []
    assert deleted_runs.has(db, project.id, "r1")
    assert not deleted_runs.has(db, project.id, "r2")


def test_a_removed_run_has_never_been(db, project, make_run):
    """Its id is free: it was handed out ahead and nobody took it."""
    deleted_runs.remove(db, make_run("r1").id)
    assert runs.find(db, project.id, "r1") is None
    assert not deleted_runs.has(db, project.id, "r1")


def test_an_id_may_be_deleted_twice(db, project, make_run):
    """A run that was made by hand under the id of a deleted one can be deleted, too."""
    for now in (1.0, 2.0):
        deleted_runs.bury(db, make_run("r1"), now=now)
    assert deleted_runs.has(db, project.id, "r1")


def test_a_deleted_runs_places_are_told_until_its_files_are_gone(db, project, make_run):
    """For whoever looks whether they are left; the id is kept for good. What was deleted once more has files anew."""
    for name in ("r1", "r2"):
        deleted_runs.bury(db, make_run(name), now=1.0)
    deleted_runs.remove(db, make_run("r3").id)
    assert deleted_runs.places(db) == [(project.id, "local", "p", name) for name in ("r1", "r2")]
    deleted_runs.note_removed(db, project.id + 1, ["r2"])
    deleted_runs.note_removed(db, project.id, ["r1", "other"])
    assert [name for *_, name in deleted_runs.places(db)] == ["r2"]
    assert deleted_runs.has(db, project.id, "r1")
    deleted_runs.bury(db, make_run("r1"), now=2.0)
    assert [name for *_, name in deleted_runs.places(db)] == ["r1", "r2"]


def test_a_start_asks_for_the_runs_with_files_alone(db):
    """By an index: of a million runs that were deleted once it reads none."""
    plan = db.execute(f"EXPLAIN QUERY PLAN {deleted_runs.PLACES}").fetchall()
    assert any("deleted_runs_with_files" in row[3] for row in plan), [row[3] for row in plan]


@pytest.mark.parametrize("table", ["metric_values", "nonfinite_values"])
def test_what_goes_with_a_run_is_looked_up(db, table):
    """Not searched for among the values of all sweeps, for each of a thousand runs."""
    plan = db.execute(f"EXPLAIN QUERY PLAN DELETE FROM {table} WHERE run_id = 1").fetchall()  # noqa: S608
    assert [row[3].split()[0] for row in plan] == ["SEARCH"]
