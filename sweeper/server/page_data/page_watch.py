"""Tells open pages that what they show has changed: one task looks for all of them, at what anybody looks at.

A page that is open costs nothing while nothing is written, and never a query of its own: pages of one sweep share a
look a second at the most, and looks that take long are made less often.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from anyio import to_thread

from sweeper.server.store import page_marks
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.page_marks import PageMark

log = logging.getLogger(__name__)

TICK_S = 0.5
"""How late at most a page hears that the server ends."""
REST = 50
"""Looks at a subject take a fiftieth of the time at most."""


class Subject(NamedTuple):
    """What a page is about, in one respect.

    Attributes:
        topic: `home`, `project`, `sweep` or `run`.
        ids: The rows; none for home.
    """

    topic: str
    ids: tuple[int, ...] = ()

    @property
    def every_s(self) -> float:
        """Seconds between two looks, at least: lists of a whole server are read anew less often."""
        return 1.0 if self.topic in {"sweep", "run"} else 3.0

    def look(self, db: Connection) -> PageMark:
        """Mark it as it is now."""
        if self.topic == "run":
            return page_marks.of_runs(db, self.ids)
        if self.topic == "home":
            return page_marks.of_home(db)
        of = page_marks.of_sweep if self.topic == "sweep" else page_marks.of_project
        return of(db, *self.ids)


class Seen(NamedTuple):
    """A subject as it was when it was last looked at.

    Attributes:
        word: Short; equal for equal states.
        at: When something had last happened to it.
    """

    word: str
    at: float


@dataclass(slots=True)
class _Watched:
    """A subject that somebody has open."""

    seen: Seen
    next_look: float = 0.0
    mark: int = -1
    pages: set[asyncio.Event] = field(default_factory=set)


class PageWatch:
    """Wakes the streams of pages whose subjects have changed.

    Args:
        store: The database.
        is_ending: Whether the server is about to end: then every page is woken, to be let go.
    """

    def __init__(self, store: Store, is_ending: Callable[[], bool] = bool) -> None:
        self._store, self.is_ending = store, is_ending
        self._watched: dict[Subject, _Watched] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return len({page for one in self._watched.values() for page in one.pages})

    async def open(self, subjects: list[Subject], page: asyncio.Event) -> None:
        """Let a page be woken whenever one of some subjects has changed; they are looked at first."""
        for subject in subjects:
            if subject not in self._watched:
                seen, mark, took = await to_thread.run_sync(self._look, subject)
                known = self._watched.setdefault(subject, _Watched(seen))  # another page may have come meanwhile
                known.mark, known.next_look = mark, time.monotonic() + max(subject.every_s, REST * took)
            self._watched[subject].pages.add(page)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    def close(self, page: asyncio.Event) -> None:
        """Forget a page, and what nobody else looks at."""
        for subject, one in [*self._watched.items()]:
            one.pages.discard(page)
            if not one.pages:
                del self._watched[subject]

    def seen(self, subject: Subject) -> Seen:
        """Tell what an open page's subject was like at the last look."""
        return self._watched[subject].seen

    async def _work(self) -> None:
        while self._watched:
            await asyncio.sleep(TICK_S)
            if self.is_ending():
                for page in self._pages():
                    page.set()
            for subject in [*self._watched]:
                with contextlib.suppress(KeyError):  # whose last page has gone meanwhile
                    await self._look_again(subject)

    def _pages(self) -> Iterator[asyncio.Event]:
        return (page for one in self._watched.values() for page in one.pages)

    async def _look_again(self, subject: Subject) -> None:
        one = self._watched[subject]
        if one.mark == self._store.mark or time.monotonic() < one.next_look:
            return
        try:
            seen, one.mark, took = await to_thread.run_sync(self._look, subject)
        except Exception:
            log.exception("cannot look at %s", subject)
            one.next_look = time.monotonic() + 60.0
            return
        one.next_look = time.monotonic() + max(subject.every_s, REST * took)
        if seen.word != one.seen.word:
            one.seen = seen
            for page in one.pages:
                page.set()

    def _look(self, subject: Subject) -> tuple[Seen, int, float]:
        mark, begun = (
            self._store.mark,
            time.perf_counter(),
        )  # before the read: what is written meanwhile is looked at again
        with self._store.read() as db:
            found = subject.look(db)
        word = hashlib.blake2b(found.text.encode(errors="replace"), digest_size=6).hexdigest()
        return Seen(word, found.at), mark, time.perf_counter() - begun
