"""When runs were at work, read without the rest of them."""

from __future__ import annotations

from sweeper.run import RunState
from sweeper.server.store import attempts, run_times, runs

SWEEP = {"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}


def make(table, sweep, state: RunState, *, started: float | None, ended: float | None) -> int:
    """Store a run that was at work at some time; give its row id."""
    with table.store.write() as db:
        name = f"r{runs.count(db, sweep.id)}"
        about = {"sweep_id": sweep.id, "host": "h"}
        made = runs.create(db, sweep.project_id, name, state=state, now=1.0, **about)
        runs.update(db, made.id, started_at=started, ended_at=ended, heartbeat_at=ended or 50.0)
    return made.id


def test_the_runs_that_ended_last_are_listed_whatever_ended_them(table):
    """The earliest of them first; how long each took."""
    sweep = table.sweep(SWEEP)
    make(table, sweep, RunState.FINISHED, started=0.0, ended=10.0)
    make(table, sweep, RunState.FAILED, started=0.0, ended=30.0)
    make(table, sweep, RunState.KILLED, started=15.0, ended=20.0)
    make(table, sweep, RunState.CRASHED, started=None, ended=40.0)
    make(table, sweep, RunState.RUNNING, started=5.0, ended=None)
    with table.store.read() as db:
        found = run_times.latest_ended(db, sweep.id, 3)
        going = run_times.at_work(db, sweep.id, 25.0)
    assert [(run.state.value, run.duration_s) for run in found] == [
        ("killed", 5.0),
        ("failed", 30.0),
        ("crashed", None),
    ]
    assert [(run.state.value, run.duration_s) for run in going] == [("running", 20.0)]


def test_times_of_some_runs(table):
    """By their row ids, with where they were."""
    sweep = table.sweep(SWEEP)
    wanted = make(table, sweep, RunState.FINISHED, started=2.0, ended=10.0)
    make(table, sweep, RunState.FINISHED, started=2.0, ended=11.0)
    with table.store.read() as db:
        (found,) = run_times.of_runs(db, [wanted]).items()
    assert found == (wanted, run_times.RunTimes(1.0, 2.0, 10.0, 10.0, "h", 1))


def test_the_place_behind_which_the_latest_are(table):
    """None is left out where there are no more."""
    sweep = table.sweep(SWEEP)
    ids = [make(table, sweep, RunState.FINISHED, started=0.0, ended=1.0) for _ in range(3)]
    with table.store.read() as db:
        assert run_times.before_latest(db, sweep.id, 2) == ids[0]
        assert run_times.before_latest(db, sweep.id, 3) == 0


def test_a_run_is_where_its_last_attempt_is(table):
    """In the slot that its worker named."""
    sweep = table.sweep(SWEEP)
    place = make(table, sweep, RunState.RUNNING, started=5.0, ended=None)
    with table.store.write() as db:
        attempts.place(db, place, "gpu1")
        assert run_times.of_runs(db, [place])[place].slot == "gpu1"
