"""What is kept of long histories for charts: the numbers of each key, summed up by blocks of lines.

A block that is not here is read from the lines themselves: what has been kept may be missing, but never wrong.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from sweeper.server.store import bulk

BLOCK = 4096
"""Lines of a block: reading so many takes a tenth of a second."""
_LINES = "FROM lines WHERE run_id = :run AND stream = 'history' AND number >= :first AND number < :end"


class State(NamedTuple):
    """What tells lines of a block from others that take their place: a line that is replaced gets a new row."""

    lines: int
    rows: int


def changed(db: sqlite3.Connection, run_id: int, first: int, last: int) -> None:
    """Note that lines of a history were written: what was kept of their blocks goes, and a block may have become whole.

    Args:
        db: The write connection.
        run_id: The run.
        first: The first of the lines.
        last: The last of them.
    """
    query = "DELETE FROM history_blocks WHERE run_id = ? AND block BETWEEN ? AND ?"
    stale = db.execute(query, (run_id, first // BLOCK, last // BLOCK)).rowcount
    if stale or (last + 1) // BLOCK > first // BLOCK:
        make_due(db, run_id)


def clear(db: sqlite3.Connection, run_id: int) -> None:
    """Forget all that is kept of a run's history, whose lines are others now; what is whole is summed up anew."""
    db.execute("DELETE FROM history_blocks WHERE run_id = ?", (run_id,))
    make_due(db, run_id)


def make_due(db: sqlite3.Connection, run_id: int) -> None:
    """Have somebody look whether a run has something to be summed up."""
    db.execute("INSERT OR IGNORE INTO history_due VALUES (?)", (run_id,))


def due(db: sqlite3.Connection) -> int | None:
    """Give a run that may have whole blocks to be summed up."""
    row = db.execute("SELECT run_id FROM history_due ORDER BY run_id DESC LIMIT 1").fetchone()
    return row["run_id"] if row else None


def settle(db: sqlite3.Connection, run_id: int) -> None:
    """Note that a run has no more whole blocks to be summed up."""
    db.execute("DELETE FROM history_due WHERE run_id = ?", (run_id,))


def kept(db: sqlite3.Connection, run_id: int) -> list[int]:
    """List the blocks of a run that are summed up."""
    query = "SELECT block FROM history_blocks WHERE run_id = ? ORDER BY block"
    return [block for (block,) in db.execute(query, (run_id,))]


def missing(db: sqlite3.Connection, run_id: int, lines: int) -> list[int]:
    """List the whole blocks of a run with so many lines that are not summed up."""
    known = set(kept(db, run_id))
    return [block for block in range(lines // BLOCK) if block not in known]


def state(db: sqlite3.Connection, run_id: int, block: int) -> State:
    """Say what lines a block has; answered from an index alone."""
    given = {"run": run_id, "first": block * BLOCK, "end": (block + 1) * BLOCK}
    return State(*db.execute(f"SELECT count(*), coalesce(sum(rowid), 0) {_LINES}", given).fetchone())


def texts(db: sqlite3.Connection, run_id: int, first: int, end: int, stride: int = 1) -> Iterator[tuple[int, str]]:
    """Give lines of the history with their numbers, from `first` to before `end`: every n-th, and the last."""
    given = {"run": run_id, "first": first, "end": end}
    if stride == 1:
        return ((number, text) for number, text in db.execute(f"SELECT number, text {_LINES} ORDER BY number", given))
    numbers = json.dumps([*range(first, end - 1, stride), end - 1])
    chosen = "number IN (SELECT value FROM json_each(:numbers))"
    query = f"SELECT number, text {_LINES} AND {chosen} ORDER BY number"
    return ((number, text) for number, text in db.execute(query, {**given, "numbers": numbers}))


def put(db: sqlite3.Connection, run_id: int, block: int, sums: Mapping[str, bytes], *, seen: State) -> bool:
    """Keep what a block was summed up to, unless its lines have become others meanwhile; tell whether it is kept."""
    there = db.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone()
    if there is None or state(db, run_id, block) != seen:
        return False
    query = "INSERT OR REPLACE INTO history_blocks (run_id, block) VALUES (?, ?) RETURNING id"
    (block_id,) = db.execute(query, (run_id, block)).fetchone()
    bulk.insert(db, "INSERT INTO block_sums (block_id, key, sums)", [(block_id, *pair) for pair in sums.items()])
    return True


def sums(
    db: sqlite3.Connection, run_id: int, keys: Collection[str], blocks: Sequence[int]
) -> dict[str, dict[int, bytes]]:
    """Give what some blocks were summed up to, by key and block; a key that a block lacks is left out."""
    if not blocks:
        return {}
    query = (
        "SELECT b.block, s.key, s.sums FROM history_blocks b JOIN json_each(:keys) k"
        " JOIN block_sums s ON s.block_id = b.id AND s.key = k.value"
        " WHERE b.run_id = :run AND b.block BETWEEN :first AND :last"
    )
    given = {"run": run_id, "keys": json.dumps([*keys]), "first": blocks[0], "last": blocks[-1]}
    found: dict[str, dict[int, bytes]] = {}
    for block, key, packed in db.execute(query, given):
        found.setdefault(key, {})[block] = packed
    return found
