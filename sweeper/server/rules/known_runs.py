"""The runs that a sweep sees, kept in memory: one that has ended is read once."""

from __future__ import annotations

from typing import Any

from sweeper.run import Run
from sweeper.server.store import seen_runs
from sweeper.server.store.database import Connection
from sweeper.server.store.sweeps import Sweep

# Answered from the index runs_of_sweep_by_state alone.
_STATES = (
    "SELECT id, state, ended_at FROM runs WHERE sweep_id = :id UNION"
    " SELECT r.id, r.state, r.ended_at FROM prior_runs p JOIN runs r ON r.id = p.run_id WHERE p.sweep_id = :id"
    " ORDER BY 1"
)


class KnownRuns:
    """Reads the runs of one sweep again and again, each time only those that may have changed."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[Any, Run]] = {}

    def refresh(self, db: Connection, sweep: Sweep) -> list[Run]:
        """Give what `seen_runs.for_search` gives."""
        found = {}
        for run_id, *state in db.execute(_STATES, {"id": sweep.id}).fetchall():
            known = self._read.get(run_id)
            if known is None or known[0] != state or not known[1].state.ended:
                known = state, seen_runs.get(db, sweep, run_id)
            found[run_id] = known
        self._read = found
        return [run for _, run in found.values()]
