"""Who may come in: the Host header, the API key, and uploads by signed address."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from sweeper.server import artifact_addresses, users
from sweeper.server.store import Store
from sweeper.server.strictjson import JsonAnswer, refusal_answer
from sweeper.server.users import User

OPEN_PATHS = ("/healthz", "/sdk/otel/")
"""Without a key: wandb-core 0.31.0 sends its telemetry without one."""
ANY_HOST = "*"


class Gate:
    """ASGI middleware: lets a request in under the user its key belongs to.

    A web page somewhere else can neither reach us under a name of its own (Host) nor use a stored key (Origin).

    Args:
        app: What it guards.
        hosts: Names under which the server may be addressed, without ports; `ANY_HOST` for all.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not come in, pass on the rest with `state.user` set."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        refusal = self._refuse(request, scope["method"])
        await (refusal or self.app)(scope, receive, send)

    def _refuse(self, request: HTTPConnection, method: str) -> JsonAnswer | None:
        host = request.headers.get("host", "")
        if ANY_HOST not in self.hosts and _name(host) not in self.hosts:
            return refusal_answer(f"this server is not called {host!r}", 400)
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return refusal_answer(f"requests from pages of {origin!r} are not taken", 403)
        if method == "OPTIONS" and origin is not None:  # `wandb verify` asks whether our own pages may GET and PUT
            return JsonAnswer({}, headers={"Access-Control-Allow-Origin": origin})
        path = request.url.path
        if path.startswith((*OPEN_PATHS, artifact_addresses.PREFIX)) or (
            method == "PUT" and path.startswith("/files/")
        ):
            return None  # a PUT, and what reads an artifact, carries its right in the address; the endpoint checks it
        store: Store = request.app.state.store
        user = user_of(store, request.headers.get("authorization", ""))
        if user is None:
            # only a person's browser should be told to ask for a password
            headers = {"WWW-Authenticate": 'Basic realm="sweeper: user api, password = API key"'}
            message = "this server does not know the API key: set WANDB_API_KEY to the one in its data directory"
            return refusal_answer(message, 401, headers if method == "GET" else None)
        request.state.user = user
        return None


def _name(host: str) -> str:
    """Take the port off a Host header; nothing is left of one that is no host and port."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if "@" not in host else ""
    except ValueError:
        return ""


def user_of(store: Store, authorization: str) -> User | None:
    """Find the user of an Authorization header, `Basic base64(api:KEY)`."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        _, _, key = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    if scheme.lower() != "basic" or not key:
        return None
    with store.read() as db:
        return users.authenticate(db, key)
