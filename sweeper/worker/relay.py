"""`python -m sweeper.worker.relay DATA [PORT]`: the server of a data directory, at an address that does not change.

A running SDK cannot be told another address. So the runs of a machine talk to this process, on its loopback, and it
talks to the server, wherever `server.json` says that it is now. While nobody answers there, requests are held back.
It adds no key: whoever else is on the machine gets no further here than at the server itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.processes import die_with_parent
from sweeper.worker.followed_server import FollowedServer, ServerConnection
from sweeper.worker.http_messages import HEAD_BYTES, CutOffError, MessageError, MessageHead, pieces, read_head

HOST = "127.0.0.1"
PATIENCE_S = 600.0
"""How long a request is held back while no server answers."""
BUSY_S = 30.0
"""How long a server is asked again that says that it takes nothing just now."""
HEALTH_S = 2.0
"""Seconds for the question whether a server is there: who asks it wants to know now."""
SMALL_BODY = 2**20
"""Bytes of a request that is kept until it is answered; a larger one stays with its sender until a server is there."""
LEAVE_S = 30.0
"""Seconds in which a client that got its answer early must have sent the rest of its request."""
SCHEME = b"X-Sweeper-Scheme: http\r\n"
"""Tells the server how its client came, which is how the addresses in its answers must begin."""
_SAFE = frozenset({"GET", "HEAD", "PUT", "OPTIONS"})
"""What may be done twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long a relay waits for what; see the constants.

    Attributes:
        patience_s: PATIENCE_S.
        busy_s: BUSY_S.
        health_s: HEALTH_S.
    """

    patience_s: float = PATIENCE_S
    busy_s: float = BUSY_S
    health_s: float = HEALTH_S


class _ClientReader(asyncio.StreamReader):
    """What a client says; it is noticed at once when the client has gone."""

    def __init__(self) -> None:
        super().__init__(limit=HEAD_BYTES)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.gone.set()


class Relay:
    """Passes requests on.

    Args:
        server: Whom it follows.
        waits: How long it waits.
        say: Told when waiting for a server begins and ends.
    """

    def __init__(
        self, server: FollowedServer, *, waits: Waits | None = None, say: Callable[[str], None] = print
    ) -> None:
        self.server = server
        self.waits = waits or Waits()
        self._say = say
        self._away_since: float | None = None

    async def listen(self, port: int = 0) -> asyncio.Server:
        """Begin to take connections.

        Raises:
            OSError: The port is taken.
        """
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(_ClientReader(), self._take)

        return await loop.create_server(protocol, HOST, port, backlog=1024)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, _ClientReader)  # noqa: S101 as `listen` makes them
        conversation = _Conversation(self, reader, writer)
        work = asyncio.create_task(conversation.hold())
        gone = asyncio.create_task(reader.gone.wait())
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, work):
                task.cancel()
            await asyncio.gather(gone, work, return_exceptions=True)
            conversation.close()

    def note(self, trouble: str) -> None:
        """Note, for people, whether the server is there; empty trouble if it is."""
        if trouble and self._away_since is None:
            self._away_since = time.monotonic()
            self._say(f"{trouble}; requests wait for it")
        elif not trouble and self._away_since is not None:
            self._say(f"a server answers again, after {time.monotonic() - self._away_since:.0f} s")
            self._away_since = None


class _Conversation:
    """A client's connection, and the one to the server that its requests go on."""

    def __init__(self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._relay = relay
        self._reader = reader
        self._writer = writer
        self._upstream: ServerConnection | None = None

    def close(self) -> None:
        """End both."""
        self._drop()
        self._writer.close()

    def _drop(self) -> None:
        if self._upstream:
            self._upstream.close()
        self._upstream = None

    async def hold(self) -> None:
        """Pass on request after request until either side has enough."""
        with contextlib.suppress(CutOffError, OSError):
            try:
                while (head := await read_head(self._reader)) is not None:
                    if not await self._pass_on(head):
                        return
            except MessageError as error:
                await self._answer(400, "Bad Request", str(error))

    async def _pass_on(self, head: MessageHead) -> bool:
        """Have one request answered; say whether another one may follow."""
        if not head.first[1].startswith("/"):
            raise MessageError("this is no proxy for other servers")
        small = (head.length or 0) <= SMALL_BODY and not head.chunked
        if "100-continue" in head.values("expect"):
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw = head.without("expect")
        raw = raw[:-2] + SCHEME + raw[-2:]
        if small:
            body = b"".join([piece async for piece in pieces(self._reader, head)])
            kept = await self._pass_on_small(head, raw + body)
        else:
            kept = await self._pass_on_large(head, raw)
        return kept and not head.closes

    async def _pass_on_small(self, head: MessageHead, request: bytes) -> bool:
        """Send what is at hand as a whole, again where that is safe."""
        waits = self._relay.waits
        health = head.first[1].partition("?")[0] == "/healthz"
        until = time.monotonic() + (waits.health_s if health else waits.patience_s)
        busy_until = time.monotonic() + (0 if health else waits.busy_s)
        while True:
            upstream = await self._connected(until, once=health)
            if upstream is None:
                return await self._away()
            try:
                upstream.writer.write(request)
                await upstream.writer.drain()
                answer = await self._heard(upstream)
            except (CutOffError, OSError):
                self._drop()
                if head.first[0] not in _SAFE:  # it may have been done: the SDK knows what to do then
                    return await self._away()
                await asyncio.sleep(self._relay.server.look_s / 5)
                continue
            if answer.status == 503 and time.monotonic() < busy_until:
                self._drop()
                await asyncio.sleep(self._relay.server.look_s)
            else:
                return await self._give(upstream, head, answer)

    async def _pass_on_large(self, head: MessageHead, raw: bytes) -> bool:
        """Send piece by piece what is not kept; it stays with the client until a server is there."""
        upstream = await self._connected(time.monotonic() + self._relay.waits.patience_s)
        body = pieces(self._reader, head)
        if upstream is None:
            return await self._away(after=body)
        upload = asyncio.create_task(_pump(raw, body, upstream.writer))
        try:
            try:
                answer = await self._heard(upstream)
            except (CutOffError, OSError):
                self._drop()
                await upload  # to its end, for the client reads no answer before
                return await self._away()
            complete = upload.done()
            kept = await self._give(upstream, head, answer)
            if not complete:  # it was refused in the middle
                self._drop()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(upload, LEAVE_S)
                return False
            return kept
        finally:
            upload.cancel()

    async def _connected(self, until: float, *, once: bool = False) -> ServerConnection | None:
        """Have a connection to the server that there is now; None if there is none for too long.

        Args:
            until: When waiting ends, by the monotonic clock.
            once: Whether nobody is waited for.
        """
        server, upstream = self._relay.server, self._upstream
        if upstream and (not upstream.usable or upstream.record != await server.record()):
            self._drop()
        while self._upstream is None:
            limit = max(0.1, until - time.monotonic()) if once else None
            try:
                self._upstream = await server.connect(timeout_s=limit)
            except OSError as error:
                self._relay.note(str(error) or type(error).__name__)
                if once or time.monotonic() >= until:
                    return None
                await asyncio.sleep(server.look_s)
            else:
                self._relay.note("")
        return self._upstream

    async def _heard(self, upstream: ServerConnection) -> MessageHead:
        """Read the head of an answer; what comes before it (1xx) is passed on."""
        while True:
            answer = await read_head(upstream.reader)
            if answer is None:
                raise CutOffError("the server closed instead of answering")
            if _was_cut_off(answer):
                raise CutOffError("the server ended in the middle of a request")
            if answer.status >= 200:
                return answer
            self._writer.write(answer.raw)

    async def _give(self, upstream: ServerConnection, head: MessageHead, answer: MessageHead) -> bool:
        """Pass an answer on; say whether both connections can go on."""
        self._writer.write(answer.raw)
        bodiless = head.first[0] == "HEAD" or answer.status in {204, 304}
        if not bodiless:
            async for piece in pieces(upstream.reader, answer, to_end=True):
                self._writer.write(piece)
                await self._writer.drain()
        await self._writer.drain()
        endless = not bodiless and not answer.chunked and answer.length is None
        if answer.closes or endless:
            self._drop()
        return not (answer.closes or endless)

    async def _away(self, after: AsyncIterator[bytes] | None = None) -> bool:
        """Say that nobody is there, behind what is left of the request."""
        if after is not None:
            async for _ in after:
                pass
        words = "no sweeper server answers at the moment"
        return await self._answer(503, "Service Unavailable", words, "Retry-After: 1\r\n")

    async def _answer(self, status: int, reason: str, words: str, header: str = "") -> bool:
        body = json.dumps({"error": words}).encode()
        close = "" if status == 503 else "Connection: close\r\n"
        head = (
            f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{header}{close}\r\n"
        )
        self._writer.write(head.encode() + body)
        await self._writer.drain()
        return status == 503


def _was_cut_off(answer: MessageHead) -> bool:
    """Whether a server that ends has let go of a request: uvicorn's (0.54) words for it."""
    return answer.status == 500 and answer.closes and "text/plain; charset=utf-8" in answer.values("content-type")


async def _pump(raw: bytes, body: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
    """Send a request on as it comes; where that is no longer possible, take it all the same."""
    lost = False
    writer.write(raw)
    async for piece in body:
        if lost or writer.is_closing():
            continue
        try:
            writer.write(piece)
            await writer.drain()
        except OSError:
            lost = True


async def serve(data: Path, port: int, ready: Callable[[int], None]) -> None:
    """Relay until the process ends.

    Args:
        data: The data directory of the server.
        port: Where to listen; 0 for anywhere.
        ready: Told where.

    Raises:
        OSError: The port is taken.
    """

    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)  # noqa: T201 its own log

    server = await Relay(FollowedServer(data), say=say).listen(port)
    ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def main(argv: Sequence[str]) -> int:
    """Relay as long as the parent lives; a signal to all processes of a job is none to this one, which runs still need.

    Args:
        argv: The server's data directory, and the port if it must be a certain one.
    """
    die_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # two for each connection

    def ready(port: int) -> None:
        print(json.dumps({"port": port}), flush=True)  # noqa: T201 for its parent

    asyncio.run(serve(Path(argv[0]), int(argv[1]) if len(argv) > 1 else 0, ready))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
