"""What a run printed, as GraphQL's pages of lines; the cursor of a line is its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweeper.server.errors import RequestError
from sweeper.server.store import console
from sweeper.server.store.console import ConsoleLine
from sweeper.server.store.database import Connection

PAGE, MAX_PAGE = 1000, 10_000
"""Lines of one answer: if the client names no number, and whatever it names."""


def console_connection(
    db: Connection, run_id: int, *, first: int | None, after: str | None, last: int | None
) -> dict[str, Any]:
    """Give the lines behind a cursor, or the last ones, the oldest first.

    Raises:
        RequestError: The cursor or a length is not one.
    """
    if last is not None:
        return _connection(console.tail(db, run_id, _size(last)), has_next=False, after=None)
    start = _number(after) + 1 if after else 0
    found, has_next = console.page(db, run_id, start=start, size=_size(first))
    return _connection(found, has_next=has_next, after=after)


def _size(asked: int | None) -> int:
    size = PAGE if asked is None else asked
    if size < 0:
        raise RequestError(f"{size} lines: a number of lines is not negative")
    return min(size, MAX_PAGE)


def _number(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:  # more may be beyond what a column holds
        raise RequestError(f"{cursor!r} is not a cursor of ours")
    return int(cursor)


def _connection(found: Sequence[ConsoleLine], *, has_next: bool, after: str | None) -> dict[str, Any]:
    edges = [{"node": line, "cursor": str(line.number)} for line in found]
    return {
        "edges": edges,
        "page_info": {"end_cursor": edges[-1]["cursor"] if edges else after, "has_next_page": has_next},
    }
