"""What all data of pages have in common: where they lie, what they are about, and how they are sent."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.server.budget import SpentError
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.store import projects, runs, sweeps
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.projects import Project
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep
from sweeper.server.strict_json import encode

DATA = "/-/data/{entity}/{project}"
SWEEP = DATA + "/sweeps/{sweep}"
RUN = DATA + "/runs/{run}"
SMALL = 1400
"""Bytes that go into one packet: to pack them saves nothing."""


def data_route(path: str, read: Callable[[Connection, Request], Any]) -> Route:
    """Make a route that answers with the JSON of what is read from the database, in a thread, within one transaction.

    Args:
        path: Its address.
        read: Takes a read connection and the request, and gives anything that JSON has; numbers that
            are none become words (`strict_json.plain`).
    """

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_answer, request, read)

    answer.__doc__ = read.__doc__
    return Route(path, answer)


def _answer(request: Request, read: Callable[[Connection, Request], Any]) -> Response:
    store: Store = request.app.state.store
    try:
        with store.read() as db:
            found = read(db, request)
    except SpentError as error:  # no `Exception`: nobody else would make an answer of it
        raise RequestError(error.message, 413) from error
    return packed(request, encode(found), "application/json")


def packed(request: Request, content: bytes, media_type: str) -> Response:
    """Send something, packed where the browser takes that."""
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "no-store"}
    if len(content) > SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        content = gzip.compress(content, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=media_type, headers=headers)


def find_project(db: Connection, request: Request) -> Project:
    """Find the project that a request names.

    Raises:
        NotFoundError: There is none.
    """
    entity, name = request.path_params["entity"], request.path_params["project"]
    found = projects.find(db, entity, name)
    if found is None:
        raise NotFoundError(f"no project {entity}/{name} here")
    return found


def find_sweep(db: Connection, request: Request) -> Sweep:
    """Find the sweep that a request names.

    Raises:
        NotFoundError: There is none.
    """
    place = find_project(db, request)
    found = sweeps.find(db, request.path_params["sweep"], place.id)
    if found is None:
        raise NotFoundError(f"no sweep {request.path_params['sweep']!r} in {place.entity}/{place.name}")
    return found


def find_run(db: Connection, request: Request) -> StoredRun:
    """Find the run that a request names.

    Raises:
        NotFoundError: There is none.
    """
    place = find_project(db, request)
    found = runs.find(db, place.id, request.path_params["run"])
    if found is None:
        raise NotFoundError(f"no run {request.path_params['run']!r} in {place.entity}/{place.name}")
    return found
