"""Where the lines of several writers of one run lie."""

from __future__ import annotations

from sweeper.server.store import writer_lines
from sweeper.server.store.lines import Stream


def test_each_writer_has_its_own_count(db, make_run):
    """The same number of another writer, stream or run is another line."""
    run, other = make_run("r1"), make_run("r2")
    writer_lines.put(db, run.id, Stream.HISTORY, "a", {0: 0, 1: 2})
    writer_lines.put(db, run.id, Stream.HISTORY, "b", {0: 1})
    writer_lines.put(db, run.id, Stream.EVENTS, "a", {0: 7})
    assert writer_lines.numbers(db, run.id, Stream.HISTORY, "a", 0) == {0: 0, 1: 2}
    assert writer_lines.numbers(db, run.id, Stream.HISTORY, "b", 0) == {0: 1}
    assert writer_lines.numbers(db, run.id, Stream.EVENTS, "a", 0) == {0: 7}
    assert writer_lines.numbers(db, other.id, Stream.HISTORY, "a", 0) == {}


def test_only_what_is_sent_again_is_looked_up(db, make_run):
    """A long run's beginning is not read for its newest lines."""
    run = make_run("r1")
    writer_lines.put(db, run.id, Stream.HISTORY, "a", {0: 0, 1: 3, 2: 4})
    assert writer_lines.numbers(db, run.id, Stream.HISTORY, "a", 1) == {1: 3, 2: 4}
