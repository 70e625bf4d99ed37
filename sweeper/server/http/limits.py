"""What one request may cost, and what every answer carries: the outermost layer of the server.

Bodies must keep coming and readers must keep reading; whatever goes wrong inside is answered with a number to look for
in the log, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Generator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sweeper.server.errors import RequestError, bug_message
from sweeper.server.http import compression
from sweeper.server.store.disk import KEPT_FREE, DiskFullError
from sweeper.server.strict_json import refusal_answer

log = logging.getLogger(__name__)

FIRST_S, SLOWEST_RATE = 60.0, 4096
"""A body may take a minute, and longer as long as so many bytes come in a second on the whole."""
STALLED_S = 60.0
"""Seconds in which a client must take something of its answer."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: browsers would send `Origin: null` with our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Of every answer that has no such header of its own."""
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
T = TypeVar("T")


class TooSlowError(RequestError):
    """The client sends so slowly that it holds the server up."""

    def __init__(self) -> None:
        super().__init__("the request came too slowly", 408)


class Limits:
    """ASGI middleware: bounds the time of bodies and answers, adds headers, turns bugs into a plain 500.

    Args:
        app: What it wraps.
        first_s: Seconds that any body may take.
        stalled_s: Seconds that a client may leave a piece of its answer.
    """

    def __init__(self, app: ASGIApp, *, first_s: float = FIRST_S, stalled_s: float = STALLED_S) -> None:
        self.app = app
        self._first_s, self._stalled_s = first_s, stalled_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _GuardedSend(send, self._stalled_s)
        try:
            await self.app(scope, _GuardedReceive(receive, self._first_s).receive, answer.send)
        except Exception:
            number = secrets.token_hex(4)
            # the path alone: the query may hold a token
            log.exception("request %s failed: %s %s", number, scope["method"], scope["path"][:500])
            if not answer.begun:
                await bug_answer(number)(scope, receive, answer.send)


def bug_answer(number: str) -> ASGIApp:
    """Answer a request that met a bug: what went wrong stands in the log only."""
    return refusal_answer(bug_message(number), 500)


class _GuardedReceive:
    """The body of a request, which must keep coming."""

    def __init__(self, receive: Receive, first_s: float) -> None:
        self._receive = receive
        self._until = time.monotonic() + first_s
        self._size = 0
        self._complete = False

    async def receive(self) -> Message:
        """Give the next piece."""
        if self._complete:  # what now comes is the client's leaving, whenever that is
            return await self._receive()
        left_s = self._until + self._size / SLOWEST_RATE - time.monotonic()
        try:
            message = await within(left_s, self._receive())
        except TimeoutError as error:
            raise TooSlowError from error
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message


class _GuardedSend:
    """An answer, which must be taken."""

    def __init__(self, send: Send, stalled_s: float) -> None:
        self._send, self._stalled_s = send, stalled_s
        self.begun = False

    async def send(self, message: Message) -> None:
        """Send the next piece."""
        if message["type"] == "http.response.start":
            self.begun = True
            own = list(message.get("headers", ()))
            names = {name.lower() for name, _ in own}
            message["headers"] = own + [header for header in _HEADERS if header[0] not in names]
        await within(self._stalled_s, self._send(message))


async def within(delay_s: float, act: Awaitable[T]) -> T:
    """Await something, but not for longer; what need not wait costs no clock, and hardly a request does.

    Raises:
        TimeoutError: It takes longer.
    """
    steps = act.__await__()
    try:
        first = next(steps)
    except StopIteration as done:
        return cast("T", done.value)
    async with asyncio.timeout(delay_s):
        return await _Rest(steps, first)


class _Rest(Awaitable[T]):
    """What is left of something that was begun, and waits for the first time."""

    def __init__(self, steps: Generator[Any, Any, T], first: Any) -> None:
        self._steps, self._first = steps, first

    def __await__(self) -> Generator[Any, Any, T]:
        waits_for = self._first
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001 - as `yield from` does, which cannot begin in the middle
                proceed = partial(self._steps.throw, error)
            else:
                proceed = partial(self._steps.send, sent)
            try:
                waits_for = proceed()
            except StopIteration as done:
                return cast("T", done.value)


async def upload(request: Request, root: Path) -> AsyncIterator[bytes]:
    """Give the content of an upload piece by piece, unpacked, while it is not too long and the disk has room for it.

    Args:
        request: The upload.
        root: A folder on the disk where it goes.

    Raises:
        RequestError: It has no place.
    """
    limit: int = request.app.state.max_file
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isascii() and declared.isdecimal() else 0
    _check_room(root, size, limit)
    taken = checked = 0
    async for chunk in compression.content(request, limit=limit):
        taken += len(chunk)
        if taken - checked >= 2**24 or taken > limit:
            _check_room(root, max(size - taken, 0), limit, taken)
            checked = taken
        yield chunk


def _check_room(root: Path, coming: int, limit: int, taken: int = 0) -> None:
    if taken + coming > limit:
        raise RequestError(f"a file may have {limit} bytes: start the server with a larger --max-file", 413)
    found = os.statvfs(root)
    free = found.f_bavail * found.f_frsize
    if free < coming + KEPT_FREE:
        raise DiskFullError(f"it has {free >> 20} MiB left, of which uploads leave {KEPT_FREE >> 20}")
