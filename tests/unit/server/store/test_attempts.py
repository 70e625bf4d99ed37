"""Attempts at runs are noted as the state of a run changes, whoever changes it."""

from __future__ import annotations

from sweeper.run import RunState
from sweeper.server.rules import run_endings, run_transitions
from sweeper.server.store import attempts, runs, sweeps

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3, 0.4]}}}


def told(table, run):
    """What is known of the attempts at a run."""
    with table.store.read() as db:
        return attempts.of_run(db, run.id)


def test_a_run_that_goes_well_has_one_attempt(table):
    """Open while it goes on, with its agent and its machine; closed with the run's end."""
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    run = table.given(agent)
    assert told(table, run) == []
    table.start(run)
    (one,) = told(table, run)
    assert (one.number, one.agent, one.host, one.slot, one.state) == (1, agent, "host", "", "running")
    assert (one.started_at, one.ended_at) == (table.now, None)
    table.now += 60
    table.complete(run)
    (one,) = told(table, run)
    assert (one.ended_at - one.started_at, one.state, one.reason) == (60, "finished", "")


def test_a_run_that_is_tried_again_keeps_what_its_first_attempt_came_to(table):
    """With the reason that its worker gave when it asked for another one."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    table.now += 7
    table.complete(run, 1)
    with table.store.write() as db:
        run_endings.requeue(db, runs.get(db, run.id), now=table.now, reason="out of GPU memory")
    table.now += 10
    with table.store.write() as db:
        run_transitions.resumes(db, runs.get(db, run.id), ["second"], now=table.now)
    table.complete(run)
    first, second = told(table, run)
    assert (first.number, first.state, first.reason) == (1, "failed", "out of GPU memory")
    assert (second.number, second.state, second.started_at - first.ended_at) == (2, "finished", 10)


def test_a_lost_run_has_an_attempt_that_ended_when_it_was_missed(table):
    """It waits for another agent, and the next attempt is that one's."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    table.now += 500
    with table.store.write() as db:
        run_endings.silent(db, runs.get(db, run.id), now=table.now, retries=3)
    (one,) = told(table, run)
    assert (one.state, one.ended_at) == ("preempted", table.now)
    assert "no heartbeat" in one.reason


def test_what_a_worker_says_later_explains_the_last_attempt(table):
    """It saw more than an exit code."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    table.complete(run, 1)
    with table.store.write() as db:
        run_endings.give_up(db, runs.get(db, run.id), now=table.now, reason="ValueError: no such layer")
    assert [one.reason for one in told(table, run)] == ["ValueError: no such layer"]


def test_a_run_that_never_began_has_none(table):
    """Its trainer ended before `wandb.init`."""
    run = table.given(table.agent(table.sweep(GRID)))
    with table.store.write() as db:
        run_endings.give_up(db, runs.get(db, run.id), now=table.now)
    assert told(table, run) == []


def test_an_id_that_is_used_again_begins_its_attempt_anew(db, make_run):
    """Without a new number: nobody handed the run out again."""
    run = make_run("r")
    runs.update(db, run.id, state=RunState.FINISHED, ended_at=110.0)
    runs.update(db, run.id, state=RunState.RUNNING, started_at=200.0, heartbeat_at=200.0, ended_at=None)
    (one,) = attempts.of_run(db, run.id)
    assert (one.started_at, one.ended_at, one.state) == (200.0, None, "running")


def test_a_slot_is_where_the_worker_says(db, make_run):
    """Its name is cut to what a name needs; the run's own host counts where it has no agent."""
    run = make_run("r", host="box")
    attempts.place(db, run.id, "gpu0" + "x" * 100)
    (one,) = attempts.of_run(db, run.id)
    assert (one.host, one.slot) == ("box", "gpu0" + "x" * 60)


def test_a_sweeps_attempts_may_be_only_those_that_changed(db, make_sweep, make_run):
    """Those that go on, and those that ended since a time."""
    sweep = make_sweep()
    for number in range(3):
        make_run(f"r{number}", sweep_id=sweep.id)
    make_run("other")
    early, late, _ = runs.of_sweep(db, sweep.id)
    runs.update(db, early.id, state=RunState.FINISHED, ended_at=150.0)
    runs.update(db, late.id, state=RunState.KILLED, ended_at=250.0)
    assert [one.run for one in attempts.of_sweep(db, sweep.id)] == ["r0", "r1", "r2"]
    assert [one.run for one in attempts.of_sweep(db, sweep.id, since=200.0)] == ["r1", "r2"]


def test_attempts_go_with_their_run(db, make_run):
    """Nothing is left of a run that is deleted."""
    run = make_run("r")
    db.execute("DELETE FROM runs WHERE id = ?", (run.id,))
    assert db.execute("SELECT count(*) FROM attempts").fetchone()[0] == 0
    assert sweeps.all_of(db) == []
