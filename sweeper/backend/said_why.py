"""Tells sweeper's own server that a person asks for something, and why: with the requests of the SDK, and with ours."""

from __future__ import annotations

import json
import os
from urllib.parse import quote

from sweeper.backend import sdk_releases
from sweeper.settings import private_setting, read_private

HEADERS = "EXTRA_HTTP_HEADERS"
"""The SDK's private setting for headers that it sends along, as JSON."""
WHY_HEADER = "X-Sweeper-Why"
MOST = 500
"""Characters that the server keeps."""
_SAID = "SWEEPER_SAID_WHY"


def say_why(reason: str) -> None:
    """Have this command's requests say that a person asks, and why: the server notes both beside what was asked.

    It must come before the SDK is used. Other servers pass over it.

    Args:
        reason: In the person's words; empty if they give none.
    """
    os.environ[_SAID] = quote(reason[:MOST])  # noqa: TID251 where the SDK, too, is told all that it sends along
    if sdk_releases.reads_headers(sdk_releases.installed()):
        told = {**json.loads(read_private(os.environ, HEADERS) or "{}"), **headers()}  # noqa: TID251
        os.environ.update(private_setting(HEADERS, json.dumps(told)))  # noqa: TID251


def headers() -> dict[str, str]:
    """Give what requests of ours send along: what was said, if anything was."""
    said = os.environ.get(_SAID)  # noqa: TID251
    return {} if said is None else {WHY_HEADER: said}
