"""Requests at signed addresses, which carry the right to them instead of a key."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request

from sweeper.server.errors import RequestError
from sweeper.server.signing import Signer

READABLE_WITHOUT_ORIGIN = {"Access-Control-Allow-Origin": "null"}
"""Lets a frame that has no origin, as Netron's, read an answer: the address, which it was given, is the right to it."""


def right_to(request: Request, action: str, *names: str) -> Callable[[], None]:
    """Give what refuses a request (RequestError) whose address is not signed for an action on what the names say.

    Asked again later it tells whether the key, for which the address was signed, is still there; the time that counts
    is when the request came, for an upload may take long.
    """
    signer: Signer = request.app.state.signer
    token, came = request.query_params.get("token", ""), time.time()

    def check() -> None:
        if not signer.holds(token, action, *names, now=came):
            raise RequestError("this address is not, or no longer, signed for that: ask for the files again", 403)

    return check


def user_id(request: Request) -> int:
    """Tell who was given the address of a request; it must be signed."""
    return int(request.query_params["token"].partition(".")[0])


async def while_held(chunks: AsyncIterator[bytes], check: Callable[[], None]) -> AsyncIterator[bytes]:
    """Pass an upload on, and look at its end whether it may still come."""
    async for chunk in chunks:
        yield chunk
    check()
