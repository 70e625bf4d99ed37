"""Messages of HTTP as they pass by."""

from __future__ import annotations

import asyncio

import pytest

from sweeper.worker.http_messages import CutOffError, MessageError, MessageHead, pieces, read_head

CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(sent: bytes, *, to_end: bool = False) -> tuple[MessageHead | None, bytes, bytes]:
    """Read one message of what was sent before the end; give its head, its body, and what is behind it."""

    async def reading() -> tuple[MessageHead | None, bytes, bytes]:
        reader = asyncio.StreamReader(limit=1024)
        reader.feed_data(sent)
        reader.feed_eof()
        head = await read_head(reader)
        body = b"".join([piece async for piece in pieces(reader, head, to_end=to_end)]) if head else b""
        return head, body, await reader.read()

    return asyncio.run(reading())


def test_a_message_ends_where_its_head_says():
    """By its length, by its chunks with what is behind the last of them, or, an answer, with the connection."""
    head, body, rest = read(b"PUT /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /")
    assert head is not None
    assert (head.first, head.length, head.chunked, body, rest) == (
        ("PUT", "/x?y", "HTTP/1.1"),
        3,
        False,
        b"abc",
        b"GET /",
    )
    chunks = b"3;x=y\r\nabc\r\n0\r\nTrailer: t\r\n\r\n"
    head, body, rest = read(CHUNKED + chunks + b"GET /")
    assert (head.chunked, body, rest) == (True, chunks, b"GET /")
    head, body, rest = read(b"HTTP/1.1 200 OK\r\n\r\nall of it", to_end=True)
    assert (head.status, body, rest) == (200, b"all of it", b"")
    head, body, rest = read(b"GET / HTTP/1.1\r\n\r\nGET /")
    assert (body, rest) == (b"", b"GET /")


def test_an_end_between_messages_is_no_fault_and_one_within_is():
    """Nothing was lost by the first."""
    assert read(b"") == (None, b"", b"")
    for sent in (b"GET / HT", b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", CHUNKED + b"3\r\nab", CHUNKED + b"3"):
        with pytest.raises(CutOffError):
            read(sent)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + b"a" * 2000 + b"\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"PUT / HTTP/1.1\r\nContent-Length: -3\r\n\r\nabcd",
        b"PUT / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"x\r\n",
        CHUNKED + b"-3\r\n",
        CHUNKED + b"1" * 2000,
    ],
)
def test_what_two_could_read_in_two_ways_is_refused(sent):
    """Whoever takes a message for longer than the server does would pass on another one within it."""
    with pytest.raises(MessageError):
        read(sent)


def test_who_closes_behind_a_message_is_told_by_its_head():
    """HTTP/1.1 goes on unless it says so, HTTP/1.0 does not."""

    def closes(text: bytes) -> bool:
        return MessageHead.parse(text + b"\r\n\r\n").closes

    assert not closes(b"GET / HTTP/1.1")
    assert closes(b"HTTP/1.1 200 OK\r\nConnection: Close")
    assert closes(b"GET / HTTP/1.0")
    assert not closes(b"GET / HTTP/1.0\r\nConnection: keep-alive")


def test_a_header_is_left_out_and_the_rest_stays_as_it_was():
    """Byte for byte: addresses follow the Host, signatures follow what was signed."""
    head = MessageHead.parse(b"PUT /%20 HTTP/1.1\r\nHOST:  a:1\r\nExpect: 100-continue\r\nX: 1\r\n\r\n")
    assert head.values("expect") == ["100-continue"]
    assert head.without("expect") == b"PUT /%20 HTTP/1.1\r\nHOST:  a:1\r\nX: 1\r\n\r\n"


def test_an_answer_of_something_else_has_no_status():
    """A port may have become another service's."""
    with pytest.raises(MessageError):
        _ = MessageHead.parse(b"SSH-2.0-OpenSSH_9.2 x\r\n\r\n").status
