"""The relay: requests held back, sent again or refused, by a server that comes and goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sweeper.backend import server_record
from sweeper.backend.server_record import ServerRecord
from sweeper.worker.followed_server import FollowedServer
from sweeper.worker.http_messages import MessageHead, pieces, read_head
from sweeper.worker.relay import SMALL_BODY, Relay, Waits

LOOK_S = 0.02
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
CANCELLED = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: 21\r\n\r\nInternal Server Error"
)
Answer = Callable[[MessageHead, bytes], bytes | None]


class Upstream:
    """A server that answers as a test says, and keeps what it was asked.

    Args:
        data: Its data directory.
        answer: Given a request; None closes the connection instead.
    """

    def __init__(self, data: Path, answer: Answer = lambda _head, _body: OK) -> None:
        self.data = data
        self.answer = answer
        self.asked: list[tuple[MessageHead, bytes]] = []
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen somewhere, and say so."""
        self.server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        server_record.write(self.data, ServerRecord(1, f"http://127.0.0.1:{port}"))

    async def stop(self) -> None:
        """End, as by kill -9: the record stays."""
        self.server.close()
        for writer in self.writers:
            writer.close()
        await self.server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while (head := await read_head(reader)) is not None:
                body = b"".join([piece async for piece in pieces(reader, head)])
                self.asked.append((head, body))
                said = self.answer(head, body)
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
        finally:
            writer.close()


class Client:
    """A connection to the relay."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, method: str = "GET", target: str = "/", body: bytes = b"") -> tuple[int, bytes]:
        """Send a request, and read its answer."""
        head = f"{method} {target} HTTP/1.1\r\nHost: relay:1\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        """Read an answer."""
        head = await read_head(self.reader)
        assert head is not None
        return head.status, b"".join([piece async for piece in pieces(self.reader, head)])


def relayed(
    tmp_path: Path, play: Callable[[Upstream, Callable[[], Awaitable[Client]]], Awaitable[None]], **waits: float
) -> list[str]:
    """Play a scene with a relay; give what it said."""
    said: list[str] = []

    async def scene() -> None:
        upstream = Upstream(tmp_path)
        relay = Relay(FollowedServer(tmp_path, look_s=LOOK_S), waits=Waits(**waits), say=said.append)
        server = await relay.listen()
        port = server.sockets[0].getsockname()[1]
        clients: list[Client] = []

        async def client() -> Client:
            clients.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
            return clients[-1]

        async with asyncio.timeout(60):
            await play(upstream, client)
        server.close()
        if upstream.server is not None:
            await upstream.stop()
        for one in clients:
            one.writer.close()
            await one.writer.wait_closed()
        await server.wait_closed()
        await asyncio.sleep(3 * LOOK_S)

    asyncio.run(scene())
    return said


def test_requests_go_through_unchanged_over_one_connection(tmp_path):
    """The Host stays as the client wrote it, for addresses follow it; the server learns that its client speaks HTTP."""

    async def play(upstream, client):
        await upstream.start()
        one = await client()
        assert await one.ask("PUT", "/a%20b?c=d", b"body") == (200, b"ok")
        assert await one.ask() == (200, b"ok")
        (head, body), _ = upstream.asked
        assert (head.first[1], body) == ("/a%20b?c=d", b"body")
        assert (head.values("host"), head.values("x-sweeper-scheme")) == (["relay:1"], ["http"])
        assert upstream.connections == 1

    assert relayed(tmp_path, play) == []


def test_a_request_waits_for_a_server_wherever_it_will_be(tmp_path):
    """Nobody has ever been there, somebody comes; it is killed, and comes back at another port."""

    async def play(upstream, client):
        one = await client()
        asking = asyncio.create_task(one.ask("POST", "/graphql", b"{}"))
        await asyncio.sleep(0.1)
        assert not asking.done()
        await upstream.start()
        assert await asking == (200, b"ok")
        await upstream.stop()
        again = asyncio.create_task(one.ask("POST", "/graphql", b"{}"))
        await asyncio.sleep(0.1)
        await upstream.start()
        assert await again == (200, b"ok")

    said = relayed(tmp_path, play)
    assert [words.split("; ")[-1][:23] for words in said] == ["requests wait for it", "a server answers again,"] * 2


@pytest.mark.parametrize(("method", "repeated"), [("GET", True), ("PUT", True), ("POST", False)])
def test_what_was_cut_off_is_sent_again_where_that_is_safe(tmp_path, method, repeated):
    """Whether a POST was done nobody knows: the SDK is told that nobody is there, and has rules for that."""

    async def play(upstream, client):
        upstream.answer = lambda *_: None if len(upstream.asked) == 1 else OK
        await upstream.start()
        one = await client()
        assert (await one.ask(method, "/x", b"body"))[0] == (200 if repeated else 503)
        assert len(upstream.asked) == 1 + repeated
        assert await one.ask("POST") == (200, b"ok")  # on the same connection of the client

    relayed(tmp_path, play)


def test_a_request_that_an_ending_server_let_go_of_is_as_good_as_cut_off(tmp_path):
    """Uvicorn answers 500 to what it cancels; an SDK that believed it would give the run up."""

    async def play(upstream, client):
        upstream.answer = lambda *_: CANCELLED if len(upstream.asked) == 1 else OK
        await upstream.start()
        assert await (await client()).ask("PUT", "/x", b"body") == (200, b"ok")
        upstream.asked.clear()
        assert (await (await client()).ask("POST", "/x", b"body"))[0] == 503

    relayed(tmp_path, play)


def test_a_server_that_takes_nothing_just_now_is_asked_again_for_a_while(tmp_path):
    """One that ends says 503; so does one that is overloaded, whose word is passed on in the end."""

    async def play(upstream, client):
        upstream.answer = lambda *_: BUSY if len(upstream.asked) < 3 else OK
        await upstream.start()
        assert await (await client()).ask("POST", "/x", b"body") == (200, b"ok")
        upstream.answer = lambda *_: BUSY
        assert await (await client()).ask("POST", "/x", b"body") == (503, b"busy")

    relayed(tmp_path, play, busy_s=0.3)


def test_whether_a_server_is_there_is_answered_at_once(tmp_path):
    """Workers ask it before they believe a refusal, and wait by themselves."""

    async def play(upstream, client):
        one = await client()
        status, body = await one.ask("GET", "/healthz")
        assert status == 503
        assert "no sweeper server answers" in json.loads(body)["error"]
        await upstream.start()
        await asyncio.sleep(2 * LOOK_S)
        assert await one.ask("GET", "/healthz") == (200, b"ok")

    relayed(tmp_path, play)


def test_nobody_is_waited_for_for_ever(tmp_path):
    """The SDK hears of it, with what to do."""

    async def play(_upstream, client):
        one = await client()
        one.writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        head = await read_head(one.reader)
        assert (head.status, head.values("retry-after")) == (503, ["1"])

    relayed(tmp_path, play, patience_s=0.1)


def test_a_large_upload_waits_with_its_sender_and_is_passed_on_piece_by_piece(tmp_path):
    """Its bytes are in nobody's memory; one that is cut off is taken to its end, and refused so that it is repeated."""
    large = bytes(range(256)) * (SMALL_BODY // 64)

    async def play(upstream, client):
        one = await client()
        asking = asyncio.create_task(one.ask("PUT", "/file", large))
        await asyncio.sleep(0.1)
        await upstream.start()
        assert await asking == (200, b"ok")
        assert upstream.asked[-1][1] == large
        upstream.answer = lambda *_: None
        assert (await one.ask("PUT", "/file", large))[0] == 503
        upstream.answer = lambda *_: OK
        assert await one.ask("PUT", "/file", large) == (200, b"ok")

    relayed(tmp_path, play)


def test_a_large_upload_that_is_refused_early_gets_its_answer(tmp_path):
    """The server reads no further; the client hears why, and then the connection ends."""
    large = bytes(4 * SMALL_BODY)

    async def play(upstream, client):
        async def refuse(reader, writer):
            await read_head(reader)
            writer.write(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno!")
            await writer.drain()
            while await reader.read(2**16):  # as uvicorn does: what comes is read, and thrown away
                pass
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server_record.write(upstream.data, ServerRecord(1, f"http://127.0.0.1:{port}"))
        one = await client()
        assert await one.ask("PUT", "/file", large) == (413, b"no!")
        assert await one.reader.read() == b""
        server.close()

    relayed(tmp_path, play)


def test_chunks_go_through_both_ways(tmp_path):
    """As they are framed; so does an answer that ends with its connection."""
    chunks = b"3\r\nabc\r\n0\r\n\r\n"

    async def play(upstream, client):
        upstream.answer = lambda *_: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        await upstream.start()
        one = await client()
        one.writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert await one.answer() == (200, chunks)
        assert upstream.asked[-1][1] == chunks

    relayed(tmp_path, play)


def test_a_client_that_expects_to_be_told_to_go_on_is_told(tmp_path):
    """Clients such as curl do so, of large bodies; the server is not asked a second time."""

    async def play(upstream, client):
        await upstream.start()
        one = await client()
        one.writer.write(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert (await read_head(one.reader)).status == 100
        one.writer.write(b"ab")
        assert await one.answer() == (200, b"ok")
        assert upstream.asked[-1][0].values("expect") == []

    relayed(tmp_path, play)


def test_a_client_that_goes_is_let_go_of(tmp_path):
    """What it asked is not held back for nobody; a server at work on it hears of it."""

    async def play(upstream, client):
        one = await client()
        one.writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.05)
        one.writer.close()
        await one.writer.wait_closed()
        await asyncio.sleep(0.05)
        await upstream.start()
        await asyncio.sleep(3 * LOOK_S)
        assert upstream.asked == []

    relayed(tmp_path, play)


def test_it_is_no_proxy_for_others(tmp_path):
    """An address of another server, and what is no HTTP, are refused."""

    async def play(upstream, client):
        await upstream.start()
        for sent in (
            b"GET http://elsewhere/ HTTP/1.1\r\n\r\n",
            b"CONNECT elsewhere:443 HTTP/1.1\r\n\r\n",
            b"x\r\n\r\n",
        ):
            one = await client()
            one.writer.write(sent)
            assert (await one.answer())[0] == 400
            assert await one.reader.read() == b""
        assert upstream.asked == []

    relayed(tmp_path, play)


def test_hundreds_of_requests_wait_together(tmp_path):
    """Idle agents hold theirs for seconds; a server that comes back answers them all."""

    async def play(upstream, client):
        clients = [await client() for _ in range(200)]
        asking = [asyncio.create_task(one.ask("POST", "/graphql", b"{}")) for one in clients]
        await asyncio.sleep(0.1)
        await upstream.start()
        assert {await answer for answer in asking} == {(200, b"ok")}

    relayed(tmp_path, play)
