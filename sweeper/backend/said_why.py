"""Tells sweeper's own server that a person asks for something, and why: with the requests of the unmodified SDK."""

from __future__ import annotations

import json
import os
from urllib.parse import quote

HEADERS = "WANDB_X_EXTRA_HTTP_HEADERS"
"""What the SDK (0.29 to 0.31) sends with every request, as JSON."""
WHY_HEADER = "X-Sweeper-Why"
MOST = 500
"""Characters that the server keeps."""


def say_why(reason: str) -> None:
    """Have this command's requests say that a person asks, and why: the server notes both beside what was asked.

    It must come before the SDK is used. Other servers pass over it.

    Args:
        reason: In the person's words; empty if they give none.
    """
    headers = json.loads(os.environ.get(HEADERS) or "{}")  # noqa: TID251 the SDK has no other way to be told
    os.environ[HEADERS] = json.dumps({**headers, WHY_HEADER: quote(reason[:MOST])})  # noqa: TID251
