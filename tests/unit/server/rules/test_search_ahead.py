"""A search process that is slow or fails costs its own sweep random draws, and nobody else anything."""

from __future__ import annotations

import json
import threading
import time

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"x": {"values": [1, 2, 3]}}}
BAYES = {"method": "bayes", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}


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


def test_a_failing_search_costs_random_draws_and_is_tried_again(ahead, caplog):
    """A failure is logged, stands on the runs it cost, and ends with the first search that goes well."""
    failing = threading.Event()
    failing.set()
    ahead.process.fails = failing.is_set
    sweep = ahead.sweep(BAYES)
    agent = ahead.agent(sweep)
    while "it failed" not in caplog.text:
        time.sleep(0.01)
    assert json.loads(ahead.given(agent).origin)["fallback"] == "it failed"
    failing.clear()
    ahead.ready(sweep)
    assert "fallback" not in json.loads(ahead.given(ahead.agent(sweep)).origin)
