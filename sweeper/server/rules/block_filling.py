"""Sums up histories, block by block, behind the runs that write them: charts of a long run are drawn from that."""

from __future__ import annotations

import asyncio
import logging
import time

from anyio import to_thread

from sweeper.plots import chunks
from sweeper.server.store import history_blocks, key_extremes, lines
from sweeper.server.store.database import Store
from sweeper.server.store.disk import DiskFullError
from sweeper.server.store.history_blocks import BLOCK
from sweeper.server.store.lines import Stream
from sweeper.server.strict_json import stored

log = logging.getLogger(__name__)

EVERY_S = 1.0
REST = 1.0
"""How long to rest after a block, measured by how long it took: who is asked for an answer meanwhile is not held up."""


class BlockFilling:
    """Sums up what is due.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked_at = -1

    async def work(self) -> None:
        """Sum up block after block, run after run."""
        while True:
            began, found = time.monotonic(), False
            try:
                found = await to_thread.run_sync(self.go_on)
            except DiskFullError as error:
                log.warning("%s", error.message)
            except Exception:
                log.exception("summing up histories failed; it is tried again")
            await asyncio.sleep((time.monotonic() - began) * REST if found else EVERY_S)

    def go_on(self) -> bool:
        """Sum up one block, or settle one run; tell whether one was due. Little at a time: a server that ends waits."""
        mark = self._store.mark
        if mark == self._looked_at:
            return False
        with self._store.read() as db:
            run_id = history_blocks.due(db)
            left = history_blocks.missing(db, run_id, lines.count(db, run_id, Stream.HISTORY)) if run_id else []
        if run_id is None:
            self._looked_at = mark
        elif left:
            self._sum_up(run_id, left[0])
        else:
            self._settle(run_id)
        return run_id is not None

    def _settle(self, run_id: int) -> None:
        self._complete(run_id)
        with self._store.write(durable=False) as db:
            # a block may have become whole meanwhile
            if not history_blocks.missing(db, run_id, lines.count(db, run_id, Stream.HISTORY)):
                history_blocks.settle(db, run_id)

    def _complete(self, run_id: int) -> None:
        """Note the extremes of a run's keys that nobody counted; of one that logs meanwhile they stay to be read."""
        with self._store.read() as db:
            found = key_extremes.complete(db, run_id)
        if found:
            with self._store.write(durable=False) as db:
                key_extremes.put(db, run_id, *found)

    def _sum_up(self, run_id: int, block: int) -> None:
        first = block * BLOCK
        with self._store.read() as db:
            seen = history_blocks.state(db, run_id, block)
            texts = list(history_blocks.texts(db, run_id, first, first + BLOCK))
        columns = chunks.columns([(number - first, stored(text)) for number, text in texts])
        sums = {key: chunks.packed(chunks.summed(column, BLOCK)) for key, column in columns.items()}
        with self._store.write(durable=False) as db:
            history_blocks.put(db, run_id, block, sums, seen=seen)
