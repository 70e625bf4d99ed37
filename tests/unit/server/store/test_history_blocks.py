"""What is kept of long histories: never of lines that have become others."""

from __future__ import annotations

import json

import pytest

from sweeper.server.store import history_blocks, line_cuts, lines
from sweeper.server.store.history_blocks import BLOCK
from sweeper.server.store.lines import HistoryLine, Stream


def put(db, run_id: int, first: int, count: int) -> None:
    """Log lines with a step each."""
    rows = ({"_step": number} for number in range(first, first + count))
    lines.put_history(db, run_id, [HistoryLine(row["_step"], json.dumps(row), row) for row in rows])


def keep(db, run_id: int) -> list[int]:
    """Keep something of every whole block, as the server does."""
    for block in history_blocks.missing(db, run_id, lines.count(db, run_id, Stream.HISTORY)):
        seen = history_blocks.state(db, run_id, block)
        assert history_blocks.put(db, run_id, block, {"a": bytes([block])}, seen=seen)
    history_blocks.settle(db, run_id)
    return history_blocks.kept(db, run_id)


@pytest.fixture
def run_id(db, make_run) -> int:
    """A run with two whole blocks that are kept, and a part of a third."""
    run = make_run("r")
    put(db, run.id, 0, 2 * BLOCK + 10)
    assert history_blocks.due(db) == run.id
    assert keep(db, run.id) == [0, 1]
    return run.id


def test_a_run_is_due_when_a_block_becomes_whole(db, make_run):
    """With its last line, not before; what was logged behind it is no reason."""
    run = make_run("r")
    put(db, run.id, 0, BLOCK - 1)
    assert history_blocks.due(db) is None
    put(db, run.id, BLOCK - 1, 1)
    assert history_blocks.due(db) == run.id
    keep(db, run.id)
    put(db, run.id, BLOCK, 5)
    assert history_blocks.due(db) is None


@pytest.mark.parametrize(("line", "left"), [(0, [1]), (BLOCK - 1, [1]), (BLOCK, [0]), (2 * BLOCK, [0, 1])])
def test_a_line_that_becomes_another_takes_its_block_with_it(db, run_id, line, left):
    """That block is summed up anew, the others stay."""
    put(db, run_id, line, 1)
    assert history_blocks.kept(db, run_id) == left
    assert (history_blocks.due(db) is None) == (left == [0, 1])


@pytest.mark.parametrize(
    "change",
    [
        line_cuts.clear,
        lambda db, run_id: line_cuts.cut_history(db, run_id, 5),
        lambda db, run_id: line_cuts.cut_before(db, run_id, Stream.HISTORY, 5),
        lambda db, run_id: line_cuts.copy_history(db, 0, run_id, 5),
    ],
)
def test_what_moves_lines_takes_all_that_was_kept(db, run_id, change):
    """A run that begins anew, is rewound, is synced again, or was forked."""
    change(db, run_id)
    assert history_blocks.kept(db, run_id) == []


def test_the_console_leaves_the_history_alone(db, run_id):
    """Its lines are cut where a part of a run is synced again."""
    lines.put(db, run_id, Stream.CONSOLE, 0, ["a", "b"])
    line_cuts.cut_before(db, run_id, Stream.CONSOLE, 1)
    assert history_blocks.kept(db, run_id) == [0, 1]


def test_nothing_is_kept_of_lines_that_changed_meanwhile(db, run_id):
    """They were read, became others, and then what they came to is to be kept: it is not."""
    seen = history_blocks.state(db, run_id, 0)
    put(db, run_id, 7, 1)
    assert not history_blocks.put(db, run_id, 0, {"a": b"old"}, seen=seen)
    assert history_blocks.kept(db, run_id) == [1]


def test_nothing_is_kept_of_a_run_that_was_deleted_meanwhile(db, run_id):
    """And what was kept of it goes with it."""
    seen = history_blocks.state(db, run_id, 0)
    db.execute("DELETE FROM runs WHERE id = ?", (run_id,))
    assert not history_blocks.put(db, run_id, 0, {"a": b"x"}, seen=seen)
    assert db.execute("SELECT count(*) FROM block_sums").fetchone()[0] == 0


def test_sums_are_read_by_key_and_block(db, run_id):
    """Those of the blocks that are asked for."""
    assert history_blocks.sums(db, run_id, ["a", "b"], [0, 1]) == {"a": {0: b"\0", 1: b"\1"}}
    assert history_blocks.sums(db, run_id, ["a"], [1]) == {"a": {1: b"\1"}}
    assert history_blocks.sums(db, run_id, ["a"], []) == {}


def test_lines_are_read_one_by_one_or_evenly_spread(db, run_id):
    """With a stride the first and the last are among them."""
    assert [number for number, _ in history_blocks.texts(db, run_id, 3, 6)] == [3, 4, 5]
    assert [number for number, _ in history_blocks.texts(db, run_id, 0, 10, 4)] == [0, 4, 8, 9]
