"""What people asked of sweeps and runs: kept with who and why."""

from __future__ import annotations

import json

from sweeper.server.store import actions, deleted_runs
from sweeper.server.store.actions import SHOWN, Action


def test_a_sweeps_actions_are_listed_with_those_of_its_runs(db, make_sweep, make_run):
    """The newest first; a run's are its own, and another sweep's are not there."""
    sweep, other = make_sweep(), make_sweep()
    run, loose = make_run("r", sweep_id=sweep.id), make_run("s")
    actions.record(db, Action("pause", "ann", "lunch", 1.0), sweep=sweep)
    actions.record(db, Action("stop", "bob", "", 2.0), run=run)
    actions.record(db, Action("stop", "bob", "", 3.0), run=loose)
    actions.record(db, Action("cancel", "bob", "", 4.0), sweep=other)
    stopped, paused = actions.of_sweep(db, sweep.id)
    assert (stopped.name, stopped.run, stopped.user_name) == ("stop", "r", "bob")
    assert paused == Action("pause", "ann", "lunch", 1.0)
    assert [action.run for action in actions.of_run(db, loose.id)] == ["s"]
    assert actions.of_run(db, run.id) == [stopped]


def test_the_latest_are_given(db, make_sweep):
    """However many there were."""
    sweep = make_sweep()
    for number in range(SHOWN + 5):
        actions.record(db, Action("pause", "ann", str(number), float(number)), sweep=sweep)
    given = actions.of_sweep(db, sweep.id)
    assert (len(given), given[0].reason) == (SHOWN, str(SHOWN + 4))


def test_they_go_with_their_run(db, make_sweep, make_run):
    """A run that is deleted leaves none."""
    sweep = make_sweep()
    run = make_run("r", sweep_id=sweep.id)
    actions.record(db, Action("stop", "bob", "", 2.0), run=run)
    deleted_runs.remove(db, run.id)
    assert actions.of_sweep(db, sweep.id) == []


def test_they_are_found_without_going_through_all(db):
    """A page of a sweep asks for them each time something happens."""
    for column in ("sweep_id", "run_id"):
        plan = db.execute(f"EXPLAIN QUERY PLAN SELECT * FROM actions WHERE {column} = 1 ORDER BY id DESC").fetchall()  # noqa: S608
        assert "USING INDEX actions_of" in json.dumps([row["detail"] for row in plan])
        assert "TEMP" not in json.dumps([row["detail"] for row in plan])
