"""Small requests that write, carried out by one thread, as many as wait in one transaction.

A thousand agents send hundreds of them a second. Each in a thread of its own, with a transaction of its own, spent two
thirds of its time on the way: on threads that hand the interpreter to each other around every statement, on commits.
Nothing waits for company: who comes alone goes alone, and who comes meanwhile goes next, together.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sweeper.server.store.database import Group, Store

MOST = 64
"""Requests in one transaction: other writers want their turn, too."""
MOST_SETTLED = 10_000
"""Requests that one look at the disk is for."""
T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    """A request on its way.

    Attributes:
        act: What to do; it looks things up and writes, and never waits for anything.
        context: Who asks.
        future: Where its outcome is awaited.
        result: What came of it.
        error: What went wrong.
        durable: Whether its answer is to wait for the disk.
    """

    act: Callable[[], Any]
    context: Context
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None
    durable: bool = False

    def do(self, group: Group) -> None:
        """Do it as part of a transaction; what it raises its request hears."""
        group.durable = False
        try:
            self.result = self.context.run(self.act)
        except BaseException as error:  # noqa: BLE001 - passed on
            self.error = error
        self.durable = group.durable

    def tell(self) -> None:
        """Pass on what came of it, in the loop's thread."""
        if self.future.done():  # nobody waits any more
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Batches:
    """Carries out what requests want to have written: one thread writes, another waits for the disk meanwhile.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._waiting: SimpleQueue[_Job | None] = SimpleQueue()
        self._written: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._write, self._settle)]
        for thread in self._threads:
            thread.start()

    async def carry_out(self, act: Callable[[], T]) -> T:
        """Do something in a transaction that it may share with others; what it raises takes back only what it did.

        Raises:
            DiskFullError: The disk takes no more; nothing was stored.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.put(_Job(act, copy_context(), future))
        return await future

    def close(self) -> None:
        """Do what waits, and end."""
        self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        while jobs := _next(self._waiting, MOST):
            try:
                with self._store.together() as group:
                    for job in jobs:
                        job.do(group)
            except BaseException as error:  # noqa: BLE001 - each of them hears of it; nothing was stored
                for job in jobs:
                    job.error, job.durable = error, False
            for job in jobs:
                if job.durable:
                    self._written.put(job)
            self._tell([job for job in jobs if not job.durable])
        self._written.put(None)

    def _settle(self) -> None:
        while jobs := _next(self._written, MOST_SETTLED):
            try:
                self._store.settle()
            except BaseException as error:  # noqa: BLE001 - each of them hears of it
                for job in jobs:
                    job.error = error
            self._tell(jobs)

    def _tell(self, jobs: list[_Job]) -> None:
        if jobs:
            self._loop.call_soon_threadsafe(_tell, jobs)


def _tell(jobs: list[_Job]) -> None:
    for job in jobs:
        job.tell()


def _next(queue: SimpleQueue[_Job | None], most: int) -> list[_Job]:
    """Wait for requests; none when it is time to end."""
    jobs: list[_Job] = []
    job = queue.get()
    while job is not None:
        jobs.append(job)
        if len(jobs) == most:
            return jobs
        try:
            job = queue.get_nowait()
        except Empty:
            return jobs
    if jobs:
        queue.put(None)  # these first
    return jobs
