"""Ends a server whose data directory was deleted or replaced: what it took from then on would be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from anyio import to_thread

from sweeper.server.store.database import Store

EVERY_S = 1.0


class DataWatch:
    """Looks again and again whether the database is where it was.

    Args:
        store: The database.
        end: What ends the server; told why.
    """

    def __init__(self, store: Store, end: Callable[[str], object]) -> None:
        self._store, self._end = store, end

    async def work(self) -> None:
        """Look once a second."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.whole()

    async def whole(self) -> bool:
        """Whether the database is where it was; if not, the server ends."""
        try:
            displaced = await to_thread.run_sync(self._store.displaced)
        except OSError:  # a network disk that hangs has lost nothing yet
            return True
        if displaced:
            self._end(displaced)
        return not displaced
