"""Lists as GraphQL gives them out: page by page, with cursors that survive new entries."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sweeper.server.errors import RequestError

Item = TypeVar("Item")
PAGE = 50
"""Entries in a page if the client names no number; most lists of wandb.Api() (0.31.0) ask for so many."""
MAX_PAGE = 1000
"""Entries in a page whatever the client names."""


def connection(
    items: Sequence[Item],
    key: Callable[[Item], str],
    *,
    first: int | None = None,
    after: str | None = None,
    default: int = PAGE,
) -> dict[str, Any]:
    """Cut one page out of a list.

    Args:
        items: The whole list, in order.
        key: Names an item; a cursor is this name and the place, so the next page begins behind the item even
            if others have come in before it.
        first: The length of the page.
        after: The cursor of the item before the page.
        default: The length if the client names none.

    Raises:
        RequestError: The cursor or the length is not one.
    """
    size = size_of(first, default)
    start = _position(items, key, after) if after else 0
    page = items[start : start + size]
    more = start + len(page) < len(items)
    return cut_connection(page, key, start=start, more=more, after=after, total=len(items))


def cut_connection(
    page: Sequence[Item],
    key: Callable[[Item], str],
    *,
    start: int,
    more: bool,
    after: str | None,
    total: int | Callable[[], int],
) -> dict[str, Any]:
    """Give a page that was cut out of its list already, in the same form.

    Args:
        page: The items.
        key: Names an item.
        start: How many come before them.
        more: Whether others come behind them.
        after: The cursor of the item before the page.
        total: How many the whole list has, or what counts them if the client asks.
    """
    cursors = [_cursor(start + i, key(item)) for i, item in enumerate(page)]
    return {
        "edges": [{"node": item, "cursor": cursor} for item, cursor in zip(page, cursors, strict=True)],
        "page_info": {"end_cursor": cursors[-1] if cursors else after, "has_next_page": more},
        "total_count": total,
    }


def size_of(first: int | None, default: int) -> int:
    """Give the length of a page.

    Raises:
        RequestError: It is negative.
    """
    size = default if first is None else first
    if size < 0:
        raise RequestError(f"first: {first} is negative")
    return min(size, MAX_PAGE)  # a longer page is cut, not refused: the SDK goes on with the next one


def read_cursor(cursor: str) -> tuple[int, str]:
    """Read the place behind an item of a cursor, and the item's name.

    Raises:
        RequestError: It is none of ours.
    """
    try:
        index, _, name = base64.urlsafe_b64decode(cursor).decode().partition(":")
        return int(index) + 1, name
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"{cursor!r} is not a cursor of ours") from error


def _cursor(index: int, key: str) -> str:
    return base64.urlsafe_b64encode(f"{index}:{key}".encode()).decode()


def _position(items: Sequence[Item], key: Callable[[Item], str], cursor: str) -> int:
    """Find the place behind the item of a cursor; where it was, if it is gone."""
    place, name = read_cursor(cursor)
    # names first: a place alone would skip or repeat entries when others come and go between two pages
    return next((i + 1 for i, item in enumerate(items) if key(item) == name), place)
