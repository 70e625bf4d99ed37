"""Who may come in: the Host header, pages of other sites, API keys, and the sessions of browsers."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import time
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sweeper.server.pages import login
from sweeper.server.store import privacy, sessions
from sweeper.server.store.database import Store
from sweeper.server.store.users import Keyring, User
from sweeper.server.strict_json import JsonAnswer, refusal_answer

ANY_HOST = "*"
PAGE_HEADER = "X-Sweeper-Page"
"""What scripts of our pages send with what they ask for; no form can, and no script of another origin may."""
_HOST = re.compile(r"(?P<name>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?", re.IGNORECASE)


class Gate:
    """ASGI middleware: lets a request in under the user its key or its session belongs to.

    A web page somewhere else can neither reach us under a name of its own (Host) nor use what a browser keeps for us
    (Origin, Sec-Fetch-Site). A session reads; what it may change besides is named, and only pages of ours can ask for
    it. Whatever else changes something needs the key.

    Args:
        app: What it guards.
        is_open: The endpoints that answer without a key. What counts is the endpoint that will answer, never how an
            address begins: `/artifact-files/x` may be somebody's page.
        for_pages: The endpoints that a page may POST to with its session.
        for_frames: The endpoints that a frame without an origin may read; they want no key.
        hosts: Names under which the server may be addressed, without ports; `ANY_HOST` for all. Bare addresses
            always may: only a name can be pointed here by somebody else (DNS rebinding).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_open: Collection[Callable[..., Any]],
        for_pages: Collection[Callable[..., Any]],
        for_frames: Collection[Callable[..., Any]],
        hosts: Collection[str],
    ) -> None:
        self.app = app
        self.is_open = frozenset(is_open)
        self.for_pages = frozenset(for_pages)
        self.for_frames = frozenset(for_frames)
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not come in, pass on the rest with `state.user` set."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            request = HTTPConnection(scope)
            refusal = self._refuse(request, scope["method"])
            with privacy.asking(getattr(request.state, "user", None)):
                await (refusal or self.app)(scope, receive, send)
        # nothing else is spoken here: the server closes a WebSocket that nobody accepts

    def _refuse(self, request: HTTPConnection, method: str) -> Response | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self._is_called(hosts[0]):
            name = ", ".join(hosts)[:300]
            return refusal_answer(f"this server is not called {name!r}: start it with --allow-host NAME", 400)
        endpoint = _endpoint(request)
        reads = method in {"GET", "HEAD"}
        is_frames = reads and endpoint in self.for_frames and request.headers.getlist("origin") in ([], ["null"])
        if not is_frames and (foreign := _foreign(request.headers, hosts[0], method)):
            return refusal_answer(foreign, 403)
        origin = request.headers.get("origin")
        if method == "OPTIONS" and origin is not None:  # `wandb verify` asks whether our own pages may GET and PUT
            return JsonAnswer({}, headers={"Access-Control-Allow-Origin": origin})
        return None if endpoint in self.is_open else self._refuse_user(request, method, endpoint)

    def _refuse_user(
        self, request: HTTPConnection, method: str, endpoint: Callable[..., Any] | None
    ) -> Response | None:
        """Find whose request it is; refuse nobody's, and what no page of ours has asked for with its session."""
        acts = method == "POST" and endpoint in self.for_pages
        user = _user(request, session=acts or method in {"GET", "HEAD"})
        if user is None:
            return _unknown(request, method)
        if acts and (fault := _is_no_page(request.headers)):
            return refusal_answer(fault, 403)
        request.state.user = user
        return None

    def _is_called(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].lower()
        return ANY_HOST in self.hosts or name.strip("[]") in self.hosts or _is_address(name.strip("[]"))


def _endpoint(request: HTTPConnection) -> Callable[..., Any] | None:
    """Find what will answer a request; None if nothing will."""
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is Match.FULL:
            return route.endpoint
    return None


@lru_cache(maxsize=256)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _foreign(headers: Headers, host: str, method: str) -> str | None:
    """Say what is wrong with a request that a browser sends for a page which is not ours; None if nothing is."""
    # browsers add it to what a page posts or fetches from elsewhere, and no page can leave it out
    for origin in headers.getlist("origin"):
        if origin.partition("://")[2].lower() != host.lower():
            return f"requests from pages of {origin[:300]!r} are not taken"
    site = headers.get("sec-fetch-site", "none")
    followed = method in {"GET", "HEAD"} and headers.get("sec-fetch-mode") == "navigate"
    if site in {"same-origin", "none"} or (followed and headers.get("sec-fetch-dest", "document") == "document"):
        return None  # anybody may link to us: the answer is shown to the person, not to the page
    return "requests from pages of other sites are not taken"


def _is_no_page(headers: Headers) -> str:
    """Say why a request that acts with a session is not one of our own pages' scripts; empty if it is.

    Each of these alone keeps pages of others out: no form can send JSON or a header of its own, a script elsewhere only
    after a question (CORS) that is answered with no, and no browser leaves the origin out of a POST, or lies in it.
    """
    # a key may be kept by a browser, too (HTTP Basic), so a request with one is held to the same
    if headers.get(PAGE_HEADER) != "1":
        return f"only a page of this server may ask for this: the header {PAGE_HEADER}: 1 is missing"
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return "only a page of this server may ask for this: it sends application/json"
    by_key = "authorization" in headers
    if not by_key and (not headers.getlist("origin") or headers.get("sec-fetch-site", "same-origin") != "same-origin"):
        return "only a page of this server may ask for this: its browser sends the page's Origin"
    return ""


def _user(request: HTTPConnection, *, session: bool) -> User | None:
    """Find whose key a request has, or whose session, where one will do."""
    if authorization := request.headers.get("authorization"):
        return user_of(request.app.state.keys, authorization)
    token = login.session_token(request)
    if not token or not session:
        return None
    store: Store = request.app.state.store
    with store.read() as db:
        return sessions.user_of(db, token, now=time.time())


def _unknown(request: HTTPConnection, method: str) -> Response:
    if method == "GET" and "text/html" in request.headers.get("accept", ""):
        return login.login_page(request.scope["path"], 401)
    # only a person at curl or wget should be told to send a password
    headers = {"WWW-Authenticate": 'Basic realm="sweeper: user api, password = API key"'}
    message = "this server does not know the API key: set WANDB_API_KEY to the one in its data directory"
    return refusal_answer(message, 401, headers if method == "GET" else None)


def user_of(keys: Keyring, authorization: str) -> User | None:
    """Find the user of an Authorization header, `Basic base64(api:KEY)`."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        _, _, key = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    if scheme.lower() != "basic" or not key:
        return None
    return keys.owner(key)
