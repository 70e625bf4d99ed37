"""Many rows in few statements.

`executemany` makes a step of SQLite's for each row, and Python lets go of its interpreter around each: beside a thread
that computes, such as one that answers with a page of ten thousand runs, a row would then take 5 ms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

MOST = 250
"""Rows of one statement: more brings nothing."""


def insert(db: sqlite3.Connection, head: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows.

    Args:
        db: The write connection.
        head: The statement up to its columns, such as `INSERT INTO lines (run_id, stream)`.
        rows: A value for each column.
    """
    for first in range(0, len(rows), MOST):
        part = rows[first : first + MOST]
        db.execute(_statement(head, len(part), len(part[0])), list(chain.from_iterable(part)))


@lru_cache(maxsize=1024)
def _statement(head: str, rows: int, columns: int) -> str:
    row = f"({','.join('?' * columns)})"
    return f"{head} VALUES {','.join([row] * rows)}"
