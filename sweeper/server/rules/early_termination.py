"""Early termination on the server: asks the sweep's rule about a run and marks the run to be stopped if it says so."""

from __future__ import annotations

import logging

from sweeper.run import RunState
from sweeper.search import judge as ask_rule
from sweeper.server.rules import stop_requests
from sweeper.server.store import runs, seen_runs, sweeps
from sweeper.server.store.database import Store

log = logging.getLogger(__name__)


def judge(store: Store, run_id: int, *, now: float, since_line: int | None = None) -> None:
    """Ask early termination about a run, and mark it to be stopped if it says so.

    Args:
        store: The database; the rule is asked in a read of its own, so that no writer waits for it.
        run_id: The run.
        now: The time.
        since_line: From which line of its history on it has just logged; None if it has logged nothing new.
    """
    with store.read() as db:
        stored = runs.get(db, run_id)
        # A run that is only attached to a sweep is judged by its own sweep alone.
        if stored.sweep_id is None or stored.state is not RunState.RUNNING or stored.stop_requested:
            return
        sweep = sweeps.get(db, stored.sweep_id)
        if sweep.definition.stopping is None:
            return
        run = seen_runs.for_judging(db, sweep, stored, since_line)
        decision = ask_rule(sweep.definition, run, seen_runs.others_at(db, sweep, run_id))
    if decision:
        with store.write() as db:
            if sweeps.get(db, sweep.id).definition_text != sweep.definition_text:  # another rule judges by now
                return
            stop_requests.request(db, run_id, decision.reason, decision, now=now)
        told = {"action": "stop_requested", "sweep": sweep.name, "run": stored.name}
        log.info("stop %s at %.0f: %s", stored.name, now, decision.reason, extra=told)
