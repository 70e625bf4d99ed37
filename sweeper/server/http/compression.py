"""Request bodies that come compressed (`Content-Encoding: gzip`), unpacked piece by piece and within bounds.

wandb-core 0.31.0 compresses file_stream with `x_file_stream_no_gzip=False` if the server announces FILESTREAM_GZIP.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request

from sweeper.server.errors import RequestError

PIECE = 2**18
"""Bytes unpacked at a time: a small piece of a bomb is large."""


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


async def _unpacked(request: Request, limit: int) -> AsyncIterator[bytes]:
    unpacker, total, is_whole = _gzip(), 0, False
    async for chunk in request.stream():
        waiting = chunk
        while waiting:
            if is_whole:  # a gzip file may have several members
                unpacker, is_whole = _gzip(), False
            piece = _unpack(unpacker, waiting)
            waiting = unpacker.unconsumed_tail or unpacker.unused_data
            is_whole = unpacker.eof
            total += len(piece)
            if total > limit:
                raise RequestError(f"the request unpacks to more than {limit} bytes", 413)
            yield piece
    if not is_whole:
        raise RequestError("the gzip body is cut off")


def _gzip() -> zlib._Decompress:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


def _unpack(unpacker: zlib._Decompress, data: bytes) -> bytes:
    try:
        return unpacker.decompress(data, PIECE)
    except zlib.error as error:
        raise RequestError(f"the body is not gzip: {error}") from error
