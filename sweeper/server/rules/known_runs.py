"""The runs that a sweep sees, kept in memory: one that has ended is read once."""

from __future__ import annotations

from typing import Any

from sweeper.run import Run
from sweeper.server.store import runs, sweep_runs
from sweeper.server.store.database import Connection
from sweeper.server.store.sweeps import Sweep


class KnownRuns:
    """Reads the runs of one sweep again and again, each time only those that may have changed."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[Any, Run]] = {}

    def refresh(self, db: Connection, sweep: Sweep) -> list[Run]:
        """Give what `runs.for_search` gives."""
        found = {}
        for run_id, state in sweep_runs.states(db, sweep.id).items():
            known = self._read.get(run_id)
            if known is None or known[0] != state or not known[1].state.ended:
                known = state, runs.seen_run(db, sweep, run_id)
            found[run_id] = known
        self._read = found
        return [run for _, run in found.values()]
