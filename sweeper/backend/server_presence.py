"""Whether a W&B server answers at all: asked before a refusal is believed, and while one waits for its return."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from sweeper.backend.http import ask

ASK_TIMEOUT_S = 3.0

_AWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
"""What a proxy says in front of a server that is not there."""
_HERE = {"127.0.0.1", "localhost", "::1"}


def absence(environ: Mapping[str, str]) -> str:
    """Say why a server does not answer; empty if it does, whatever it is and whatever it says.

    Args:
        environ: The environment of the SDK that talks to it.
    """
    base_url = environ.get("WANDB_BASE_URL", "")
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        return ""  # the SDK's own default, or no address: its words are all that can be had
    try:
        # sweeper's own page for this; another server has none, and says so
        reply = ask(f"{base_url.rstrip('/')}/healthz", timeout_s=ASK_TIMEOUT_S, direct=parts.hostname in _HERE)
    except ssl.SSLError:
        return ""  # it is there; whom the SDK trusts is the SDK's to know
    except OSError as error:
        return f"nobody answers at {base_url}: {error}"
    return f"{base_url} is away (HTTP status {reply.status})" if reply.status in _AWAY else ""
