"""One task for all open pages: it looks at what somebody has open, when something was written, and not too often."""

from __future__ import annotations

import asyncio

from sweeper.run import RunState
from sweeper.server.page_data.page_watch import PageWatch, Subject
from sweeper.server.store import projects, runs
from sweeper.server.store.database import Store


class CountedSubject(Subject):
    """Counts how often it is looked at."""

    looks = 0

    def look(self, db):
        """Look, and count."""
        type(self).looks += 1
        return super().look(db)


def test_pages_share_their_looks_and_hear_of_what_is_written(tmp_path):
    """Ten pages of one sort cost what one does, nothing while nothing is written, and nobody stays known."""
    store = Store(tmp_path / "db")
    CountedSubject.looks = 0

    async def play():
        watch = PageWatch(store)
        home = CountedSubject("home")
        pages = [asyncio.Event() for _ in range(10)]
        for page in pages:
            await watch.open([home], page)
        assert (watch.pages, CountedSubject.looks) == (10, 1)
        before = watch.seen(home)
        watch._watched[home].next_look = 0.0
        await asyncio.sleep(0.6)
        assert CountedSubject.looks == 1
        with store.write() as db:
            place = projects.ensure(db, "local", "p", now=1.0)
            runs.create(db, place.id, "r", state=RunState.RUNNING, now=2.0)
        async with asyncio.timeout(10):
            for page in pages:
                await page.wait()
        assert CountedSubject.looks == 2
        assert watch.seen(home).word != before.word
        for page in pages:
            watch.close(page)
        assert watch.pages == 0
        async with asyncio.timeout(10):
            await watch._task

    asyncio.run(play())
    store.close()


def test_a_server_that_ends_lets_its_pages_go(tmp_path):
    """They are woken within a moment, or its end would wait for them."""
    store = Store(tmp_path / "db")

    async def play():
        watch, page = PageWatch(store, lambda: True), asyncio.Event()
        await watch.open([Subject("home")], page)
        async with asyncio.timeout(2):
            await page.wait()
        watch.close(page)

    asyncio.run(play())
    store.close()
