"""How a browser gets in: an address that works once, or the API key typed into a form; and out again.

The session's cookie is HttpOnly and SameSite=Strict. Cookies know no ports, so its name has ours in it: servers on one
machine do not log each other's browsers out.
"""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sweeper.server.errors import RequestError
from sweeper.server.pages.rendering import page
from sweeper.server.store import sessions, users
from sweeper.server.store.database import Store
from sweeper.server.store.users import User
from sweeper.server.strict_json import JsonAnswer

LOGIN, LOGOUT, LINK = "/login", "/logout", "/login/link"
MAX_FORM = 4096
"""Bytes of the form with the key."""
# no second slash or backslash in front: a browser would take what follows for the name of a site
_OURS = re.compile(r"/(?![/\\])[!-~]{0,1000}")


async def make_link(request: Request) -> Response:
    """Give the holder of a key an address that logs a browser in, once."""
    target = _target(request.query_params.get("next", "/"))
    store: Store = request.app.state.store
    token = await run_in_threadpool(_make_link, store, request.state.user)
    return JsonAnswer({"path": f"{LOGIN}?{urlencode({'token': token, 'next': target})}", "seconds": sessions.LINK_S})


def _make_link(store: Store, user: User) -> str:
    with store.write() as db:
        return sessions.make_link(db, user, now=time.time())


async def login(request: Request) -> Response:
    """Let in who comes with the token of such an address; show the others the form."""
    target = _target(request.query_params.get("next", "/"))  # whoever sent the address may have written it
    token = request.query_params.get("token")
    if token is None:
        return login_page(target)
    found = await run_in_threadpool(_redeem, request.app.state.store, token)
    if found is None and await run_in_threadpool(_is_in, request.app.state.store, session_token(request)):
        return page("welcome.html", target=target)  # who follows an address twice has got in the first time
    if found is None:
        return login_page(target, 401, "This address was used already, or is more than ten minutes old.")
    # No redirect by status: if a page elsewhere linked here, a browser would go on without the SameSite=Strict cookie.
    return _let_in(request, page("welcome.html", target=target), found)


def _redeem(store: Store, token: str) -> str | None:
    with store.write() as db:
        user = sessions.redeem(db, token, now=time.time())
        return sessions.begin(db, user, now=time.time()) if user else None


def _is_in(store: Store, token: str) -> bool:
    with store.read() as db:
        return bool(token) and sessions.user_of(db, token, now=time.time()) is not None


async def login_with_key(request: Request) -> Response:
    """Let in who typed a key."""
    form = await _form(request)
    target = _target(form.get("next", "/"))
    found = await run_in_threadpool(_begin, request.app.state.store, form.get("key", "").strip())
    if found is None:
        return login_page(target, 401, "This server does not know that key.")
    return _let_in(request, RedirectResponse(target, 303), found)


def _begin(store: Store, key: str) -> str | None:
    with store.read() as db:
        user = users.authenticate(db, key)
    if user is None:  # a wrong key costs a read only: guessing must not hold the writer
        return None
    with store.write() as db:
        return sessions.begin(db, user, now=time.time())


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise RequestError(f"the form has more than {MAX_FORM} bytes", 413)
    try:
        fields = parse_qs(body.decode("ascii"), errors="replace", max_num_fields=10)
    except ValueError as error:
        raise RequestError("that is not the form of this page") from error
    return {name: values[0] for name, values in fields.items()}


async def logout(request: Request) -> Response:
    """End the browser's session."""
    if token := session_token(request):
        await run_in_threadpool(_end, request.app.state.store, token)
    answer = RedirectResponse(LOGIN, 303)
    answer.delete_cookie(_cookie(request), httponly=True, samesite="strict", secure=_is_secure(request))
    return answer


def _end(store: Store, token: str) -> None:
    with store.write() as db:
        sessions.end(db, token)


def login_page(target: str, status: int = 200, fault: str = "") -> HTMLResponse:
    """Show how to get in, and then on to `target`."""
    return page("login.html", status=status, target=_target(quote(target, safe="/?=&%:@")), fault=fault)


def session_token(request: HTTPConnection) -> str:
    """Read the session's cookie; empty without one."""
    return request.cookies.get(_cookie(request), "")


def _let_in(request: Request, answer: Response, token: str) -> Response:
    answer.set_cookie(
        _cookie(request),
        token,
        max_age=int(sessions.SESSION_S),
        httponly=True,
        samesite="strict",
        secure=_is_secure(request),
    )
    return answer


def _is_secure(request: HTTPConnection) -> bool:
    return bool(request.scope["scheme"] == "https")


def _cookie(request: HTTPConnection) -> str:
    """Name the cookie; under the prefix `__Host-` no other name of the same domain can set it."""
    port = request.headers["host"].rpartition(":")[2]
    return f"{'__Host-' if _is_secure(request) else ''}sweeper-{port if port.isdigit() else 0}"


def _target(text: str) -> str:
    """Take the page to go on to; the first one if the text leads anywhere else."""
    return text if _OURS.fullmatch(text) else "/"


ROUTES = [
    Route(LOGIN, login),
    Route(LOGIN, login_with_key, methods=["POST"]),
    Route(LOGOUT, logout, methods=["POST"]),
    Route(LINK, make_link, methods=["POST"]),
]
