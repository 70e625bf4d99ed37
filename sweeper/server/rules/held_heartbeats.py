"""Requests that wait for something to happen to runs or sweeps, none of them in a thread.

One task looks at all awaited runs together: it sees every change, whoever made it, and costs the same for a thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from anyio import to_thread

from sweeper.server.rules.idle_agents import REFRESH_S, Idling, Outlook, outlook
from sweeper.server.store import agent_runs, privacy
from sweeper.server.store.database import Store

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
"""For what nobody hints at; the end of a run is seen at once."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Awaited:
    """What one request waits for: something to happen to one of these runs, or a run of this sweep."""

    run_ids: frozenset[int]
    idle: Idling | None


class HeldHeartbeats:
    """Wakes the requests whose runs have ended or shall be stopped, or for which there is a run now.

    Args:
        store: Where the runs are.
        is_ending: Whether the server is about to end: then nobody waits any longer.
    """

    def __init__(self, store: Store, is_ending: Callable[[], bool] = bool) -> None:
        self._store, self._is_ending = store, is_ending
        self._waiting: dict[asyncio.Future[bool], _Awaited] = {}
        self._hint = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def check_now(self) -> None:
        """Look at the runs now: one has probably ended."""
        self._hint.set()

    async def hold(
        self, run_ids: Collection[int], receive: Receive, *, timeout_s: float, idle: Idling | None = None
    ) -> bool:
        """Wait until something has happened to one of the runs, or there is something for an idle agent.

        Args:
            run_ids: The runs.
            receive: Tells when the client has gone.
            timeout_s: How long to wait at most.
            idle: What the agent found, if it is idle.

        Returns:
            Whether it is time for another answer: something has happened, or an idle agent has waited for so long that
            it would be taken for gone; and the client is still there.
        """
        happened = asyncio.get_running_loop().create_future()
        gone = asyncio.ensure_future(_disconnected(receive))
        self._waiting[happened] = _Awaited(frozenset(run_ids), idle)
        timeout_s = timeout_s if idle is None else min(timeout_s, REFRESH_S)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({happened, gone}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            # A client that has gone would never read the command, and a run given to it would be lost for a while.
            return not gone.done() and (happened.result() if happened.done() else idle is not None)
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
            changed, outlooks = frozenset[int](), dict[int, Outlook]()
            try:
                changed, outlooks = await to_thread.run_sync(self._look, [*self._waiting.values()])
            except Exception:
                log.exception("looking at runs failed; the next look tries again")
            self._wake(changed, outlooks)

    def _wake(self, changed: frozenset[int], outlooks: Mapping[int, Outlook]) -> None:
        """Answer those for whom there is something; of those that wait for a run of a sweep, as many as it has."""
        ending = self._is_ending()
        places = Counter(
            {
                (sweep_id, group): seen.places(group)
                for sweep_id, seen in outlooks.items()
                for group in ("", *seen.groups)
            }
        )
        for happened, awaited in self._waiting.items():
            if happened.done():
                continue
            now = outlooks.get(awaited.idle.sweep_id) if awaited.idle else None
            calls = bool(awaited.run_ids & changed)
            if now and awaited.idle:
                place = (awaited.idle.sweep_id, awaited.idle.group)
                calls = now.ends(awaited.idle) or places[place] > 0
                places[place] -= 1
            if ending or calls:
                happened.set_result(not ending)  # an ending server gives out nothing more

    def _look(self, awaited: Sequence[_Awaited]) -> tuple[frozenset[int], dict[int, Outlook]]:
        run_ids = frozenset[int]().union(*(each.run_ids for each in awaited))
        groups: dict[int, set[str]] = {each.idle.sweep_id: set() for each in awaited if each.idle}
        for idle in (each.idle for each in awaited if each.idle and each.idle.group):
            groups[idle.sweep_id].add(idle.group)
        # the task began within somebody's request, and looks for all
        with privacy.asking(None), self._store.read() as db:
            now = time.time()
            outlooks = {sweep_id: outlook(db, sweep_id, now=now, groups=asked) for sweep_id, asked in groups.items()}
            return agent_runs.no_longer_at_work(db, run_ids), outlooks


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
