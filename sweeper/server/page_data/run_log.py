"""What a run printed, a part at a time: a log may have a million lines, and a browser shows fifty."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.server.errors import RequestError
from sweeper.server.page_data.ansi import pieces, plain
from sweeper.server.page_data.answers import RUN, data_route, find_run, packed
from sweeper.server.store import console, lines
from sweeper.server.store.console import ConsoleLine
from sweeper.server.store.database import Connection, Store

MOST_LINES = 2000
"""Lines of one answer."""
LONGEST = 5000
"""Characters of a line that are shown; nobody reads further, and a browser that lays them out stands still."""
MOST_SOUGHT = 100_000
"""Lines that one answer looks through: a tenth of a second."""
MOST_FOUND = 5000
MOST_SENT = 500_000
"""Lines of a log that is downloaded."""


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Give a part of what a run printed, or its end where no `start` is given, and how many lines there are.

    Each line: its number (from 0), when it was printed, whether to stderr, by which process, and its pieces.
    """
    run = find_run(db, request)
    total = lines.count(db, run.id, lines.Stream.CONSOLE)
    size = min(_number(request, "size", 500), MOST_LINES)
    start = _number(request, "start", max(0, total - size))
    found, _ = console.page(db, run.id, start=start, size=size)
    return {"total": total, "lines": [_told(line) for line in found]}


def _told(line: ConsoleLine) -> list[Any]:
    text = (
        line.line
        if len(line.line) <= LONGEST
        else f"{line.line[:LONGEST]} … {len(line.line) - LONGEST} characters more"
    )
    return [line.number, line.timestamp, int(line.level == "error"), line.label, pieces(text)]


def _search(db: Connection, request: Request) -> dict[str, Any]:
    """Give the numbers of lines in which words stand, and from which line on to ask again; None at the end."""
    run, sought = find_run(db, request), request.query_params.get("q", "").casefold()
    found: list[int] = []
    if not sought:
        return {"found": found, "next": None}
    looked, start = 0, _number(request, "start", 0)
    for number, stored in console.stored_from(db, run.id, start=start, size=MOST_SOUGHT):
        looked, start = looked + 1, number + 1
        # to take each line apart would cost ten times as much, and most of them have the words nowhere
        if sought in plain(stored).casefold() and sought in plain(console.text_of(stored)).casefold():
            found.append(number)
        if len(found) >= MOST_FOUND:
            break
    return {"found": found, "next": start if looked == MOST_SOUGHT or len(found) >= MOST_FOUND else None}


async def download(request: Request) -> Response:
    """Send all that a run printed as text, without colours; as much as one answer has room for, its end."""
    return await run_in_threadpool(_download, request)


def _download(request: Request) -> Response:
    store: Store = request.app.state.store
    with store.read() as db:
        run = find_run(db, request)
        total = lines.count(db, run.id, lines.Stream.CONSOLE)
        start = max(0, total - MOST_SENT)
        printed = [
            plain(console.text_of(text)) for _, text in console.stored_from(db, run.id, start=start, size=MOST_SENT)
        ]
    return packed(request, ("\n".join(printed) + "\n").encode(errors="replace"), "text/plain; charset=utf-8")


def _number(request: Request, name: str, usual: int) -> int:
    """Read a number of a query.

    Raises:
        RequestError: It is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return usual
    if not text.isdecimal() or len(text) > 15:
        raise RequestError(f"{name}={text[:50]!r} is no number of lines")
    return int(text)


ROUTES = [data_route(f"{RUN}/log", _read), data_route(f"{RUN}/log/search", _search), Route(f"{RUN}/log/text", download)]
