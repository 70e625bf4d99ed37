"""Request bodies that come compressed (`Content-Encoding: gzip`), unpacked piece by piece and within bounds.

wandb-core 0.31.0 compresses file_stream with `x_file_stream_no_gzip=False` if the server announces FILESTREAM_GZIP.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request

from sweeper.server.errors import RequestError

PIECE = 2**18
"""Bytes unpacked at a time: a small piece of a bomb is large."""
MAX_MEMBERS = 1000
"""Members of a gzip body: one is usual, and each takes a while even if it is empty."""


async def content(request: Request, *, limit: int) -> AsyncIterator[bytes]:
    """Give a request's body piece by piece, unpacked.

    Args:
        request: The request.
        limit: Bytes that a compressed body may have when unpacked.

    Raises:
        RequestError: The encoding is another one, the body is not in it or cut off, or it gets too long.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        async for chunk in request.stream():
            yield chunk
    elif encoding in {"gzip", "x-gzip"}:
        async for piece in _unpacked(request, limit):
            yield piece
    else:
        raise RequestError(f"Content-Encoding {encoding!r} is not known here: send gzip, or plain")


async def whole(request: Request, *, limit: int) -> bytes:
    """Read a body of bounded size, unpacked.

    Raises:
        RequestError: It is too long, or cannot be unpacked.
    """
    body = bytearray()
    async for chunk in content(request, limit=limit):
        body += chunk
        if len(body) > limit:
            raise RequestError(f"the request has more than {limit} bytes", 413)
    return bytes(body)


async def _unpacked(request: Request, limit: int) -> AsyncIterator[bytes]:
    unpacker, total, is_whole, taken, members = _gzip(), 0, False, 0, 1
    async for chunk in request.stream():
        waiting, taken = chunk, taken + len(chunk)
        if taken > limit + PIECE:  # packed and more than it may be unpacked: nothing but empty blocks
            raise RequestError(f"the packed request has more than {limit} bytes", 413)
        while waiting:
            if is_whole:  # a gzip file may have several members
                unpacker, is_whole, members = _gzip(), False, members + 1
                if members > MAX_MEMBERS:
                    raise RequestError(f"the gzip body has more than {MAX_MEMBERS} members")
            piece = _unpack(unpacker, waiting)
            waiting = unpacker.unconsumed_tail or unpacker.unused_data
            is_whole = unpacker.eof
            total += len(piece)
            if total > limit:
                raise RequestError(f"the request unpacks to more than {limit} bytes", 413)
            yield piece
            await asyncio.sleep(0)  # a bomb is one small piece: others want to be answered while it is unpacked
    if not is_whole:
        raise RequestError("the gzip body is cut off")


def _gzip() -> zlib._Decompress:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


def _unpack(unpacker: zlib._Decompress, data: bytes) -> bytes:
    try:
        return unpacker.decompress(data, PIECE)
    except zlib.error as error:
        raise RequestError(f"the body is not gzip: {error}") from error
