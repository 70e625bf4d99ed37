"""A small HTTP proxy between the SDK and a server, which does to requests what networks and gateways do.

It also notes which rows of which history the server has acknowledged: what the auditor expects to find.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import random
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

HISTORY = "wandb-history.jsonl"
_STREAM = re.compile(rb"POST /files/[^/]+/[^/]+/([^/]+)/file_stream ")
BAD_ANSWER = b"HTTP/1.1 %d Bad\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\n<h1>no</h1>"
LIMIT = 1 << 26


@dataclass(frozen=True)
class Message:
    """A request or an answer, whole.

    Attributes:
        head: First line and headers, with the empty line.
        raw: Head and body as they were sent.
        body: The body, without its chunks.
    """

    head: bytes
    raw: bytes
    body: bytes

    def header(self, name: str) -> bytes:
        """A header's value, in lower case; empty if it is not there."""
        found = re.search(rb"\r\n" + name.encode() + rb":[ \t]*([^\r]*)", self.head, re.IGNORECASE)
        return found[1].strip().lower() if found else b""


async def read_message(reader: asyncio.StreamReader, *, to_head: bool = False, answer: bool = False) -> Message:
    """Read a message; `IncompleteReadError` where it breaks off.

    Args:
        reader: Where from.
        to_head: Whether it answers a HEAD, and has no body whatever it says.
        answer: Whether it is an answer, which may end with its connection.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    bare = Message(head, head, b"")
    if bare.header("transfer-encoding") == b"chunked":
        raw, body = b"", b""
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            chunk = await reader.readexactly(size + 2)
            raw, body = raw + line + chunk, body + chunk[:-2]
            if not size:
                return Message(head, head + raw, body)
    if length := bare.header("content-length"):
        body = b"" if to_head else await reader.readexactly(int(length))
    elif answer and not to_head and head.split(b" ", 2)[1][:3] not in {b"204", b"304", b"100"}:
        body = await reader.read(-1)
    else:
        body = b""
    return Message(head, head + body, body)


@dataclass
class Weather:
    """What happens to requests, each with its probability; a clear sky by default.

    Attributes:
        chances: By the name of what happens (`Proxy.TRICKS`).
        delay_s: How long a delayed one waits at most.
    """

    chances: dict[str, float] = field(default_factory=dict)
    delay_s: float = 2.0


class Proxy:
    """Listens on a port of 127.0.0.1 and passes requests on to another, in a thread of its own.

    Args:
        port: The server's.
        seed: Decides which requests are hit.

    Attributes:
        port: Its own.
        weather: What happens now.
        done: How often what happened.
        acknowledged: The rows that the server has said yes to, by run: at each offset, the last one.
    """

    TRICKS = (
        "refuse",
        "reset",
        "lose answer",
        "half answer",
        "bad gateway",
        "lie",
        "delay",
        "late answer",
        "duplicate",
    )

    def __init__(self, port: int, seed: int = 0) -> None:
        self.weather = Weather()
        self.done: Counter[str] = Counter()
        self.acknowledged: dict[str, dict[int, str]] = {}
        self._server_port = port
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready.set,), daemon=True)
        self._thread.start()
        ready.wait()

    def _run(self, ready: Callable[[], None]) -> None:
        asyncio.set_event_loop(self._loop)
        start = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LIMIT)
        self._listener = self._loop.run_until_complete(start)
        self.port = self._listener.sockets[0].getsockname()[1]
        ready()
        self._loop.run_forever()
        self._listener.close()
        while tasks := asyncio.all_tasks(self._loop):
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))  # what was aborted closes its sockets a turn later
        self._loop.close()

    def close(self) -> None:
        """End all connections and listen no more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection until one of its ends, or the weather, has enough."""
        broken = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)
        with contextlib.suppress(*broken, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        with contextlib.suppress(*broken):
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await read_message(reader)
        trick = self._trick()
        if trick == "refuse":
            return False
        if trick == "bad gateway":
            return await self._send(writer, BAD_ANSWER % self._random.choice([429, 500, 502, 503, 504]))
        if trick == "delay":
            await asyncio.sleep(self._random.uniform(0, self.weather.delay_s))
        answers = [await self._ask(request) for _ in range(2 if trick == "duplicate" else 1)]
        raw = answers[self._random.randrange(len(answers))].raw
        if trick == "late answer":
            await asyncio.sleep(self._random.uniform(0, self.weather.delay_s))
        if trick == "reset":
            linger = struct.pack("ii", 1, 0)  # on, for no time: the kernel sends a reset
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if trick in {"lose answer", "reset"}:
            return False
        if trick == "half answer":
            await self._send(writer, raw[: self._random.randrange(1, len(raw))])
            return False
        if trick == "lie":  # the gateway gave up, and the server did it all the same
            return await self._send(writer, BAD_ANSWER % 504)
        return await self._send(writer, raw)

    def _trick(self) -> str:
        """Draw what happens to a request; nothing mostly."""
        drawn = self._random.random()
        for name, chance in self.weather.chances.items():
            if (drawn := drawn - chance) < 0:
                self.done[name] += 1
                return name
        return ""

    async def _send(self, writer: asyncio.StreamWriter, raw: bytes) -> bool:
        writer.write(raw)
        await writer.drain()
        return True

    async def _ask(self, request: Message) -> Message:
        """Have the server answer, over a connection for this request alone."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server_port, limit=LIMIT)
        try:
            writer.write(request.raw)
            await writer.drain()
            to_head = request.head.startswith(b"HEAD ")
            answer = await read_message(reader, to_head=to_head, answer=True)
            self._note(request, answer)
            return answer
        finally:
            writer.transport.abort()  # there is nothing to say to it any more

    def _note(self, request: Message, answer: Message) -> None:
        """Write down the rows that were acknowledged."""
        found = _STREAM.match(request.head)
        if found is None or b" 200 " not in answer.head.split(b"\r\n", 1)[0]:
            return
        packed = request.header("content-encoding") == b"gzip"
        sent = json.loads(gzip.decompress(request.body) if packed else request.body)
        history = (sent.get("files") or {}).get(HISTORY) or {}
        rows = self.acknowledged.setdefault(found[1].decode(), {})
        for number, line in enumerate(history.get("content", []), history.get("offset", 0)):
            rows[number] = line
