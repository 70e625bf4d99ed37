"""Requests and answers of HTTP/1.1 as they pass by: where one ends, and the little of its head that says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

HEAD_BYTES = 128 * 1024
"""The longest head; servers take half of it."""
PIECE_BYTES = 64 * 1024
_BLANK = b"\r\n\r\n"


class MessageError(Exception):
    """What came is no HTTP that could be passed on; its text says why."""


class CutOffError(Exception):
    """The other end is gone in the middle of a message, or before it began."""


@dataclass(frozen=True, slots=True)
class MessageHead:
    """The first line and the headers of a message.

    Attributes:
        raw: All of it, with the blank line.
        first: The words of its first line: method, target, version; or version, status, reason.
        headers: Name, in small letters, and value, in their order.
    """

    raw: bytes
    first: tuple[str, str, str]
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, raw: bytes) -> MessageHead:
        """Take a head apart.

        Raises:
            MessageError: It is none.
        """
        first, *lines = raw[: -len(_BLANK)].decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2:
            raise MessageError("the first line is no line of HTTP")
        headers = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise MessageError("a header is none")
            headers.append((name.lower(), value.strip()))
        return cls(raw, (words[0], words[1], words[2] if len(words) > 2 else ""), tuple(headers))

    def values(self, name: str) -> list[str]:
        """List a header's values, each of a list for itself, in small letters."""
        found = (value for header, value in self.headers if header == name)
        return [part.strip().lower() for value in found for part in value.split(",")]

    @property
    def status(self) -> int:
        """The status of an answer.

        Raises:
            MessageError: It has none.
        """
        if not (self.first[0].startswith("HTTP/1.") and self.first[1].isdecimal()):
            raise MessageError("the answer is no HTTP/1.1")
        return int(self.first[1])

    @property
    def length(self) -> int | None:
        """Bytes of the body, as the head says; None where it says nothing, or that the body is in chunks.

        Raises:
            MessageError: It says two things.
        """
        lengths = set(self.values("content-length"))
        coding = self.values("transfer-encoding")
        if coding and (lengths or coding != ["chunked"]):
            raise MessageError("the length of the body is not clear")
        if not lengths:
            return None
        if len(lengths) > 1 or not (text := lengths.pop()).isascii() or not text.isdecimal():
            raise MessageError("the length of the body is no number")
        return int(text)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return bool(self.values("transfer-encoding"))

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this message."""
        said = self.values("connection")
        return "close" in said or ("HTTP/1.0" in self.first and "keep-alive" not in said)

    def without(self, name: str) -> bytes:
        """Write the head without a header."""
        first, *lines = self.raw[: -len(_BLANK)].split(b"\r\n")
        kept = [line for line in lines if line.partition(b":")[0].lower() != name.encode()]
        return b"\r\n".join([first, *kept]) + _BLANK


async def read_head(reader: asyncio.StreamReader) -> MessageHead | None:
    """Read the head of the next message; None if the other end has closed instead.

    Raises:
        MessageError: It is too long, or none.
        CutOffError: It ends in the middle.
    """
    try:
        return MessageHead.parse(await reader.readuntil(_BLANK))
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise CutOffError("the connection was closed in the middle of a head") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise MessageError("the head is too long") from error
    except OSError as error:
        raise CutOffError(str(error)) from error


async def pieces(reader: asyncio.StreamReader, head: MessageHead, *, to_end: bool = False) -> AsyncIterator[bytes]:
    """Give a body piece by piece, as it is on the wire: with what frames its chunks.

    Args:
        reader: Where it comes from.
        head: What came before it.
        to_end: Whether a body of unknown length goes on until its sender closes: an answer's.

    Raises:
        MessageError: A chunk is none.
        CutOffError: It ends before its end.
    """
    length = head.length
    try:
        if head.chunked:
            async for piece in _chunks(reader):
                yield piece
        elif length is not None:
            async for piece in _counted(reader, length):
                yield piece
        elif to_end:
            while piece := await reader.read(PIECE_BYTES):
                yield piece
    except asyncio.IncompleteReadError as error:
        raise CutOffError("the connection was closed in the middle of a body") from error
    except asyncio.LimitOverrunError as error:
        raise MessageError("a line between chunks is too long") from error
    except OSError as error:
        raise CutOffError(str(error)) from error


async def _counted(reader: asyncio.StreamReader, length: int) -> AsyncIterator[bytes]:
    left = length
    while left:
        piece = await reader.read(min(left, PIECE_BYTES))
        if not piece:
            raise CutOffError("the connection was closed in the middle of a body")
        left -= len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        try:
            size = int(line.partition(b";")[0].strip(), 16)
        except ValueError as error:
            raise MessageError("a chunk has no length") from error
        if size < 0:
            raise MessageError("a chunk has no length")
        yield line
        if not size:
            break
        async for piece in _counted(reader, size + 2):
            yield piece
    line = b""
    while line != b"\r\n":  # what some send behind the last chunk
        line = await reader.readuntil(b"\r\n")
        yield line
