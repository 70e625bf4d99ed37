"""What the buttons of pages ask for: a sweep paused, resumed, stopped, canceled; a run stopped or tried again.

The one thing that a browser's session may change (`access.py`), by the rights of whoever is logged in.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.server import strict_json
from sweeper.server.errors import RequestError
from sweeper.server.http import compression
from sweeper.server.page_data import actions as actions_data
from sweeper.server.page_data.answers import find_run, find_sweep
from sweeper.server.rules import actions
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.store.database import Connection
from sweeper.server.strict_json import JsonAnswer

MAX_BODY = 8192
"""Bytes of what a page sends: a reason."""

ACTIONS = "/-/actions/{entity}/{project}"


async def on_sweep(request: Request) -> Response:
    """Do what a person asks of a sweep: `pause`, `resume`, `stop`, `cancel`."""
    reason = await _reason(request)
    return await run_in_threadpool(_act, request, _on_sweep, reason)


def _on_sweep(db: Connection, request: Request, reason: str) -> int | None:
    sweep, name = find_sweep(db, request), request.path_params["action"]
    return actions.act_on_sweep(db, request.state.user, sweep, name, reason, now=time.time()).id


async def on_run(request: Request) -> Response:
    """Do what a person asks of a run: `stop`, `retry`."""
    reason = await _reason(request)
    return await run_in_threadpool(_act, request, _on_run, reason)


def _on_run(db: Connection, request: Request, reason: str) -> int | None:
    run, name = find_run(db, request), request.path_params["action"]
    return actions.act_on_run(db, request.state.user, run, name, reason, now=time.time()).sweep_id


def _act(request: Request, act: Callable[[Connection, Request, str], int | None], reason: str) -> Response:
    """Do it, wake who waits for news of the sweep, and answer with what can be asked of it from now on."""
    dispatcher: Dispatcher = request.app.state.dispatcher
    with dispatcher.store.write() as db:
        sweep_id = act(db, request, reason)
    dispatcher.changed(sweep_id)
    with dispatcher.store.read() as db:
        told = (actions_data.of_run if act is _on_run else actions_data.of_sweep)(db, request)
    return JsonAnswer(told)


async def _reason(request: Request) -> str:
    """Read why it is asked for.

    Raises:
        RequestError: It is no text.
    """
    sent = strict_json.parse_object(await compression.whole(request, limit=MAX_BODY), "the request")
    reason = sent.get("reason", "")
    if not isinstance(reason, str):
        raise RequestError("the reason is to be a text")
    return reason


ROUTES = [
    Route(ACTIONS + "/sweeps/{sweep}/{action}", on_sweep, methods=["POST"]),
    Route(ACTIONS + "/runs/{run}/{action}", on_run, methods=["POST"]),
]
FOR_PAGES = (on_sweep, on_run)
"""What a page may ask for with its session."""
