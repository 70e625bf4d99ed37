"""The process that computes suggestions ahead: `python -m sweeper.server.rules.search_process DATABASE DESCRIPTOR`.

It reads the database by itself and writes nothing: orders come and answers go through a connection, and its state is
a memory of what it has read. So it can be killed at any time. It ends with the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections import OrderedDict
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from sweeper.processes import die_with_parent
from sweeper.run import Run, RunState
from sweeper.search import suggest
from sweeper.server.rules.suggestions import ANSWERS, ORDERS, SearchAnswer, SearchOrder
from sweeper.server.store import seen_runs, sweep_runs, sweeps
from sweeper.server.store.database import Connection, one_state, open_reader
from sweeper.server.store.suggestions import NumberedSuggestion
from sweeper.server.store.sweeps import Sweep

NICENESS = 5
"""Trainers come first; but a search that starves costs them more, in random draws."""
SWEEPS_KNOWN = 8
"""Sweeps whose runs are kept in memory: 10,000 runs of 100 values take some 40 MiB."""


class KnownRuns:
    """The runs that one sweep sees, read again and again, each time only those that may have changed.

    A run that has ended is read once: reading 1,000 histories before every search would cost more than the search.
    """

    def __init__(self) -> None:
        self._read: dict[int, tuple[Any, Run]] = {}

    def refresh(self, db: Connection, sweep: Sweep) -> list[Run]:
        """Give what `seen_runs.for_search` gives: all runs with the history of the metric, the oldest first."""
        found = {}
        for run_id, state in sweep_runs.states(db, sweep.id).items():
            known = self._read.get(run_id)
            # An ended run changes only by running again, which changes state or time of its end.
            if known is None or known[0] != state or not known[1].state.ended:
                known = state, seen_runs.get(db, sweep, run_id)
            found[run_id] = known
        self._read = found
        return [run for _, run in found.values()]


class Searching:
    """Carries out orders.

    Args:
        db: A connection for reading.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._known: OrderedDict[tuple[int, str], KnownRuns] = OrderedDict()

    def answer(self, order: SearchOrder) -> SearchAnswer:
        """Compute a suggestion, whatever comes."""
        try:
            return SearchAnswer(self._suggest(order))
        except Exception as error:  # noqa: BLE001 a search may raise anything, and the next order may go well
            traceback.print_exc()
            return SearchAnswer(error=f"{type(error).__name__}: {error}")

    def _suggest(self, order: SearchOrder) -> NumberedSuggestion | None:
        with one_state(self._db):
            sweep = sweeps.get(self._db, order.sweep_id)
            if sweep.definition_text != order.definition:  # it was edited since, perhaps back and forth by the answer
                return None
            known = self._runs_of(sweep).refresh(self._db, sweep)
        # It has made a run since the order was written: the next order says what is missing now.
        if sum(not run.prior for run in known) != order.made:
            return None
        given = [
            Run(id=f"ahead-{entry.number}", state=RunState.PENDING, params=json.loads(entry.params or "{}"))
            for entry in order.given
        ]
        found = suggest(sweep.definition, [*known, *given], seed=sweep.search_seed)
        ended = sum(run.state.ended for run in known)
        return NumberedSuggestion.of(order.number, found, seed=sweep.search_seed, based_on=ended)

    def _runs_of(self, sweep: Sweep) -> KnownRuns:
        key = sweep.id, sweep.definition_text  # what is read of an attached run depends on the file
        known = self._known.setdefault(key, KnownRuns())
        self._known.move_to_end(key)
        while len(self._known) > SWEEPS_KNOWN:
            self._known.popitem(last=False)
        return known


def main(database: str, descriptor: int) -> None:
    """Carry out orders until the server ends."""
    die_with_parent()
    os.nice(NICENESS)
    connection, searching = Pipe(descriptor), Searching(open_reader(Path(database)))
    # the server has closed its end, or is dead; it may have died while an answer was computed
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            order = ORDERS.validate_json(connection.recv_bytes())
            connection.send_bytes(ANSWERS.dump_json(searching.answer(order)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
