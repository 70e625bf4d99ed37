"""What runs printed, line by line, as it lies in the store."""

from __future__ import annotations

import pytest

from sweeper.run import RunState
from sweeper.server.store import console, lines, projects, runs
from sweeper.server.store.console import ConsoleLine
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.lines import Stream

SENT = ["2026-01-31T12:00:00 [rank 1] a", "ERROR 2026-01-31T12:00:01 b", "c"]
READ = [
    ConsoleLine(0, "2026-01-31T12:00:00Z", "", "rank 1", "a"),
    ConsoleLine(1, "2026-01-31T12:00:01Z", "error", "", "b"),
    ConsoleLine(2, None, "", "", "c"),
]


@pytest.fixture
def printed():
    """A store with a run that printed three lines, and the run's row id."""
    store = Store(MEMORY)
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        run = runs.create(db, place.id, "r", state=RunState.RUNNING, now=0)
        lines.put(db, run.id, Stream.CONSOLE, 0, SENT)
    yield store, run.id
    store.close()


@pytest.mark.parametrize(
    ("start", "size", "found", "more"),
    [(0, 3, READ, False), (0, 2, READ[:2], True), (1, 2, READ[1:], False), (3, 5, [], False), (0, 0, [], True)],
)
def test_a_page_says_whether_there_is_more(printed, start, size, found, more):
    """Lines are taken apart into time, level, label and text; whoever pages knows when to end."""
    store, run_id = printed
    with store.read() as db:
        assert console.page(db, run_id, start=start, size=size) == (found, more)


def test_a_tail_is_in_the_order_of_printing(printed):
    """The last lines, or all where there are fewer."""
    store, run_id = printed
    with store.read() as db:
        assert console.tail(db, run_id, 2) == READ[1:]
        assert console.tail(db, run_id, 9) == READ


def test_lines_are_walked_through_as_they_are_stored(printed):
    """From one on and a number of them; their text alone is told by another function."""
    store, run_id = printed
    with store.read() as db:
        assert list(console.stored_from(db, run_id, start=1, size=1)) == [(1, SENT[1])]
    assert [console.text_of(stored) for stored in SENT] == ["a", "b", "c"]
