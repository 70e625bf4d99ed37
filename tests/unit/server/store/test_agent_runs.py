"""Runs by who works on them."""

from __future__ import annotations

from sweeper.server.rules import stop_requests
from sweeper.server.store import agent_runs, sweeps

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3, 0.4]}}}


def test_listed_runs_are_told_apart_by_their_ends(table):
    """One is at work, one has finished, one has failed; those of others, or not listed, are neither."""
    sweep = table.sweep(GRID)
    agent, other = table.agent(sweep), table.agent(sweep)
    at_work, finished, failed = (table.given(table.agent(sweep)) for _ in range(3))
    others = table.given(other)
    with table.store.write() as db:
        mine = sweeps.find_agent(db, agent).id
        for run in (at_work, finished, failed):
            db.execute("UPDATE runs SET agent_id = ? WHERE id = ?", (mine, run.id))
    for run in (at_work, finished, failed, others):
        table.start(run)
    table.complete(finished)
    table.complete(failed, 1)
    listed = [run.name for run in (at_work, finished, failed, others)]
    with table.store.read() as db:
        assert agent_runs.listed_and_done(db, mine, listed) == (finished.id,)
        assert agent_runs.listed_at_work(db, mine, listed) == (at_work.id,)
        assert agent_runs.listed_at_work(db, mine, [finished.name]) == ()


def test_a_watched_run_is_at_work_until_it_ends_is_to_stop_or_is_gone(table):
    """Each of the three wakes the request that waits for it; nothing else does."""
    sweep = table.sweep(GRID)
    at_work, ended, to_stop = (table.given(table.agent(sweep)) for _ in range(3))
    for run in (at_work, ended, to_stop):
        table.start(run)
    table.complete(ended)
    with table.store.write() as db:
        stop_requests.request(db, to_stop.id, "too slow", now=table.now)
    gone = 10_000
    with table.store.read() as db:
        found = agent_runs.no_longer_at_work(db, [at_work.id, ended.id, to_stop.id, gone])
    assert found == {ended.id, to_stop.id, gone}


def test_a_run_is_silent_behind_its_time_and_not_at_it(table):
    """With an agent and without: heard at that very moment is heard."""
    sweep = table.sweep(GRID)
    given, loose = table.given(table.agent(sweep)), table.given(table.agent(sweep))
    for run in (given, loose):
        table.start(run)
    with table.store.write() as db:
        db.execute("UPDATE runs SET heartbeat_at = 100")
        db.execute("UPDATE runs SET agent_id = NULL WHERE id = ?", (loose.id,))
        for before, found in ((100, []), (100.1, [1])):
            assert len(agent_runs.silent_of_agents(db, before)) == len(found)
            assert len(agent_runs.silent_without_agent(db, before)) == len(found)
