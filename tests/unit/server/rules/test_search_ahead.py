"""A search that takes long delays only its own sweep: it holds neither the database nor anybody else."""

from __future__ import annotations

import threading

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"x": {"values": [1, 2, 3]}}}
BAYES = {"method": "bayes", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}


def test_a_search_in_an_agents_thread_delays_no_other_sweep(table):
    """While one sweep is being searched, agents of another get runs, and runs can report."""
    slow, other = table.sweep(GRID), table.sweep(GRID)
    waiting, free = table.agent(slow), table.agent(other)
    commands = []
    with table.dispatcher._search_locks.setdefault(slow.id, threading.Lock()):  # as if a search were under way
        thread = threading.Thread(
            target=lambda: commands.append(table.dispatcher.heartbeat(waiting, set(), now=table.now))
        )
        thread.start()
        run = table.given(free)
        table.start(run)
        table.log(run, 1.0)
        table.complete(run)
        assert thread.is_alive()
    thread.join(30)
    assert [command.kind for command in commands] == ["run"]


def test_a_search_process_that_hangs_delays_no_other_sweep(ahead):
    """The search process is at a sweep and does not come back: the other sweep's agents get their runs."""
    ahead.process.gate.clear()
    slow, other = ahead.sweep(BAYES), ahead.sweep(GRID)
    ahead.agent(slow)
    agent = ahead.agent(other)
    for _ in range(3):
        ahead.start(ahead.given(agent))
        with ahead.store.write() as db:
            db.execute("UPDATE runs SET agent_id = NULL WHERE sweep_id = ?", (other.id,))
