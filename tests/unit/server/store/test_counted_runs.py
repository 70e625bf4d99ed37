"""Which runs were given out for which group of workers."""

from __future__ import annotations

from sweeper.server.store import counted_runs, runs

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3, 0.4]}}}


def test_a_run_counts_once_and_for_the_first(table):
    """Whoever tries it again."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    with table.store.write() as db:
        for group in ("a", "a", "b"):
            counted_runs.note(db, run, group)
        assert [counted_runs.made(db, sweep.id, group) for group in ("a", "b", "c")] == [1, 0, 0]


def test_what_has_ended_is_made_and_what_waits_is_there_for_the_group(table):
    """Of a group, and of it alone; what came back a moment ago is ready a moment later."""
    sweep = table.sweep(GRID)
    ended, lost, others = (table.given(table.agent(sweep)) for _ in range(3))
    for run in (ended, lost, others):
        table.start(run)
    with table.store.write() as db:
        for run, group in ((ended, "a"), (lost, "a"), (others, "b")):
            counted_runs.note(db, run, group)
        runs.update(db, ended.id, state="finished", ended_at=table.now)
        assert counted_runs.unfinished(db, sweep.id, "a") == 1
        assert counted_runs.waiting(db, sweep.id, "a") is None
        for run in (lost, others):
            runs.update(db, run.id, state="preempted", agent_id=None, ended_at=table.now)
        assert counted_runs.waiting(db, sweep.id, "a").name == lost.name
        ready = [counted_runs.ready(db, sweep.id, "a", ended_before=table.now - age) for age in (0, 1)]
        assert ready == [1, 0]
        assert counted_runs.made(db, sweep.id, "a") == 2


def test_a_run_that_is_deleted_is_counted_no_more(table):
    """As with `run_cap`: its place is free."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    with table.store.write() as db:
        counted_runs.note(db, run, "a")
        db.execute("DELETE FROM runs WHERE id = ?", (run.id,))
        assert counted_runs.made(db, sweep.id, "a") == 0
