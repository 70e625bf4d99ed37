"""Which runs of a sweep a page asks about: those that its viewer has filtered, as a set of bits in the address.

Of ten thousand runs that is 1.7 KB; their ids would be 90.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from starlette.requests import Request

from sweeper.server.errors import RequestError

NAME = "runs"
Item = TypeVar("Item")


def selected(request: Request, everything: Sequence[Item]) -> list[Item]:
    """Keep the selected ones; all where the request does not say.

    Args:
        request: Its parameter `runs` has a bit for each run that the sweep sees, the oldest first, the highest bit of a
            byte first, as base64 for addresses. Runs behind the last bit are not selected.
        everything: The runs, or what stands for them, the oldest first.

    Raises:
        RequestError: The parameter cannot be read.
    """
    text = request.query_params.get(NAME)
    if text is None:
        return list(everything)
    try:
        bits = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise RequestError(f"{NAME}: {text[:100]!r} is no base64") from error
    return [one for i, one in enumerate(everything[: 8 * len(bits)]) if bits[i // 8] & (128 >> i % 8)]
