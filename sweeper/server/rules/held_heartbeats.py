"""Requests that wait for something to happen to runs, none of them in a thread.

One task looks at all awaited runs together: it sees every change, whoever made it, and costs the same for a thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from anyio import to_thread

from sweeper.server.store import agent_runs, privacy
from sweeper.server.store.database import Store

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
"""For what nobody hints at; the end of a run is seen at once."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class HeldHeartbeats:
    """Wakes the requests whose runs have ended or shall be stopped.

    Args:
        store: Where the runs are.
        is_ending: Whether the server is about to end: then nobody waits any longer.
    """

    def __init__(self, store: Store, is_ending: Callable[[], bool] = bool) -> None:
        self._store, self._is_ending = store, is_ending
        self._waiting: dict[asyncio.Future[bool], frozenset[int]] = {}
        self._hint = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def check_now(self) -> None:
        """Look at the runs now: one has probably ended."""
        self._hint.set()

    async def hold(self, run_ids: Collection[int], receive: Receive, *, timeout_s: float) -> bool:
        """Wait until something has happened to one of the runs.

        Args:
            run_ids: The runs.
            receive: Tells when the client has gone.
            timeout_s: How long to wait at most.

        Returns:
            Whether something has happened and the client is still there.
        """
        happened = asyncio.get_running_loop().create_future()
        gone = asyncio.ensure_future(_disconnected(receive))
        self._waiting[happened] = frozenset(run_ids)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({happened, gone}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            # A client that has gone would never read the command, and a run given to it would be lost for a while.
            return happened.done() and happened.result() and not gone.done()
        finally:
            del self._waiting[happened]
            gone.cancel()

    async def close(self) -> None:
        """End the task."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        while self._waiting:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hint.wait(), LOOK_EVERY_S)
            self._hint.clear()  # before the look: a hint that comes during it is for the next
            changed: frozenset[int] = frozenset()
            try:
                changed = await to_thread.run_sync(self._changed, frozenset().union(*self._waiting.values()))
            except Exception:
                log.exception("looking at runs failed; the next look tries again")
            ending = self._is_ending()
            for happened, awaited in self._waiting.items():
                if not happened.done() and (ending or awaited & changed):
                    happened.set_result(not ending)  # an ending server gives out nothing more

    def _changed(self, run_ids: frozenset[int]) -> frozenset[int]:
        # the task began within somebody's request, and looks for all
        with privacy.asking(None), self._store.read() as db:
            return agent_runs.no_longer_at_work(db, run_ids)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
