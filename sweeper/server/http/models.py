"""Models, drawn: a page opens an address of ours, which sends it on to Netron with a signed address of the content.

Netron's frame has no origin (`pages/netron.py`): it comes with neither key nor session, and reads this one content.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sweeper.server.errors import RequestError
from sweeper.server.graphql import artifact_addresses
from sweeper.server.http import endpoints, signed
from sweeper.server.page_data import artifact_facts
from sweeper.server.page_data.file_preview import MODELS
from sweeper.server.pages import netron
from sweeper.server.store.database import Connection, Store

PLACE = MODELS + "/{entity}/{project}"
CONTENT = "/-/model-content"
READ = "draw model"
DRAWN_S = 15 * 60.0
"""Seconds in which Netron must have read what it draws."""

_Sign = Callable[..., str]


async def open_run_model(request: Request) -> Response:
    """Show a file of a run in Netron."""
    return await run_in_threadpool(_open, request, _run_content)


async def open_artifact_model(request: Request) -> Response:
    """Show a file of an artifact in Netron."""
    return await run_in_threadpool(_open, request, _artifact_content)


def _open(request: Request, content: Callable[[Connection, Request, _Sign], str]) -> Response:
    store: Store = request.app.state.store
    with store.read() as db:
        address = content(db, request, _signer(request))
    name = request.path_params["path"].rpartition("/")[2]
    query = urlencode({"url": address, "identifier": name})
    headers = {"Cache-Control": "no-store"}  # the next time it is another address
    return RedirectResponse(f"{netron.ROOT}/{netron.INDEX}?{query}", 303, headers)


def _signer(request: Request) -> _Sign:
    """Give what signs for whoever asks, by their key or by their session: both end with the key."""
    user, state = request.state.user, request.app.state
    key = user.key or next(iter(state.keys.of(user.id)), b"")
    if not key:
        raise RequestError("there is no key any more that could be signed for: log in again", 403)

    def sign(action: str, *names: str) -> str:
        token: str = state.signer.token(action, *names, user_id=user.id, key=key, until=time.time() + DRAWN_S)
        return token

    return sign


def _run_content(db: Connection, request: Request, sign: _Sign) -> str:
    names = endpoints.file_names(request)
    endpoints.find_file(db, names)
    *home, path = names
    place = "/".join([*(quote(name, safe="") for name in home), quote(path)])
    return f"{CONTENT}/{place}?token={sign(READ, *names)}"


def _artifact_content(db: Connection, request: Request, sign: _Sign) -> str:
    project_id, md5 = artifact_facts.find_content(db, request, request.path_params["path"])
    return f"{artifact_addresses.PREFIX}{project_id}/{md5}?token={sign(artifact_addresses.READ, str(project_id), md5)}"


async def run_content(request: Request) -> Response:
    """Give out a file of a run, to a signed address."""
    signed.right_to(request, READ, *endpoints.file_names(request))()
    answer = await endpoints.download_file(request)
    answer.headers.update(signed.READABLE_WITHOUT_ORIGIN)
    return answer


ROUTES = [
    Route(PLACE + "/runs/{run}/{path:path}", open_run_model),
    Route(PLACE + "/artifacts/{name}/{version}/{path:path}", open_artifact_model),
    Route(CONTENT + "/{entity}/{project}/{run}/{path:path}", run_content),
]
