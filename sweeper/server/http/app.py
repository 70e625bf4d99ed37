"""The server put together: routes, start and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.server.artifacts import commit
from sweeper.server.artifacts.blobs import ARTIFACTS, BlobStore
from sweeper.server.artifacts.lifetimes import Expiry
from sweeper.server.errors import RequestError
from sweeper.server.http import actions, artifact_endpoints, endpoints, models
from sweeper.server.http.access import Gate
from sweeper.server.http.actions import FOR_PAGES
from sweeper.server.http.batches import Batches
from sweeper.server.http.data_watch import DataWatch
from sweeper.server.http.file_size import MAX_FILE
from sweeper.server.http.limits import Limits
from sweeper.server.page_data import actions as actions_data
from sweeper.server.page_data import (
    artifact_facts,
    events,
    run_charts,
    run_facts,
    run_history,
    run_log,
    run_media,
    run_tree,
    search,
    sweep_attempts,
    sweep_curves,
    sweep_facts,
    sweep_failures,
    sweep_importance,
    sweep_runs,
    sweep_texts,
    system_metrics,
)
from sweeper.server.page_data.page_watch import PageWatch
from sweeper.server.pages import assets, login, missing, netron, views
from sweeper.server.rules import deletion, early_handout, liveness
from sweeper.server.rules.block_filling import BlockFilling
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.held_heartbeats import HeldHeartbeats
from sweeper.server.rules.liveness import LivenessPolicy
from sweeper.server.rules.reaper import Reaper
from sweeper.server.rules.search_ahead import SearchAhead, SearchProcess
from sweeper.server.signing import Signer
from sweeper.server.store import disk, run_files, sweeps, users
from sweeper.server.store.database import Store
from sweeper.server.store.mirror import Mirror
from sweeper.server.store.run_files import FileStore
from sweeper.server.strict_json import refusal_answer

log = logging.getLogger(__name__)

LOOPBACK = ("localhost", "127.0.0.1", "::1")
GRAPHQL_THREADS = 200
"""Heartbeats that may wait for a search at the same time; file streams have threads of their own."""


WITHOUT_KEY = (
    endpoints.health,
    endpoints.telemetry,  # wandb-core 0.31.0 sends it without a key
    endpoints.upload_file,  # these addresses carry the right to them, which their endpoints check
    artifact_endpoints.upload,
    artifact_endpoints.download,
    login.login,
    login.login_with_key,
    login.logout,
    assets.send,  # the pages of a login have a style, too
    netron.send,
    models.run_content,
)
"""All that answers without a key."""
WITHOUT_ORIGIN = (netron.send, models.run_content, artifact_endpoints.download)
"""What Netron's frame reads, which has no origin: its own files, and the one content that its address is signed for."""


def create_app(
    data_dir: Path,
    *,
    hosts: Collection[str] = LOOPBACK,
    policy: LivenessPolicy = liveness.DEFAULT,
    search_ahead: bool = True,
    hold_s: float = early_handout.HOLD_S,
    max_file: int = MAX_FILE,
    mirror: Mirror | None = None,
) -> Starlette:
    """Make the server as an ASGI application.

    Args:
        data_dir: Its data directory, made if need be; the database is opened when the application starts.
        hosts: Names under which it may be addressed.
        policy: For how long silence is borne.
        search_ahead: Compute suggestions ahead in a process of its own, not when they are asked for.
        hold_s: For how long at most the heartbeat of a busy agent may wait for its run's end.
        max_file: Bytes of the largest file that is taken.
        mirror: Keeps the database on another disk, where it lies on this machine's own.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with contextlib.ExitStack() as stack:
            store = stack.enter_context(contextlib.closing(_open(data_dir, mirror)))
            if mirror:
                stack.enter_context(mirror.tended(store, app.state.end))
            start = partial(SearchProcess, store.path)
            ahead = stack.enter_context(contextlib.closing(SearchAhead(store, start))) if search_ahead else None
            with _noting_fault(app):
                secret = _furnish(app, data_dir, Dispatcher(store, ahead, policy, hearing_since=time.time()))
            app.state.keys = stack.enter_context(contextlib.closing(users.Keyring(store, data_dir)))
            app.state.signer = Signer(secret, app.state.keys.of)
            app.state.max_file = max_file
            app.state.held_heartbeats = HeldHeartbeats(store, app.state.is_ending)
            app.state.hold_s = min(hold_s, policy.agent_s / 3)
            app.state.data_watch = DataWatch(store, app.state.end)
            app.state.batches = stack.enter_context(contextlib.closing(Batches(store)))
            tasks = [asyncio.create_task(work) for work in _works(app)]
            try:
                yield
            finally:
                await app.state.held_heartbeats.close()
                for task in tasks:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task

    app = Starlette(
        routes=_routes(),
        lifespan=lifespan,
        middleware=[Middleware(Limits), _gate(hosts)],
        exception_handlers={
            RequestError: _refuse,
            HTTPException: _refuse,
            UnicodeEncodeError: _refuse,
        },
    )
    app.state.is_ending = bool
    app.state.prove = None
    app.state.end = bool
    return app


def _open(data_dir: Path, mirror: Mirror | None) -> Store:
    return (
        users.open_store(data_dir, database=mirror.database, ship=mirror.ship) if mirror else users.open_store(data_dir)
    )


def _gate(hosts: Collection[str]) -> Middleware:
    return Middleware(Gate, is_open=WITHOUT_KEY, for_pages=FOR_PAGES, for_frames=WITHOUT_ORIGIN, hosts=hosts)


def _routes() -> list[Route]:
    run_path = "/files/{entity}/{project}/{run}"
    return [
        Route("/healthz", endpoints.health),
        Route("/graphql", endpoints.graphql_endpoint, methods=["POST"]),
        Route(f"{run_path}/file_stream", endpoints.take_lines, methods=["POST"]),
        Route(run_path + "/{path:path}", endpoints.upload_file, methods=["PUT"]),
        Route(run_path + "/{path:path}", endpoints.download_file, methods=["GET"]),
        Route("/sdk/otel/{rest:path}", endpoints.telemetry, methods=["POST"]),
        *artifact_endpoints.ROUTES,
        *assets.ROUTES,
        *events.ROUTES,
        *search.ROUTES,
        *sweep_attempts.ROUTES,
        *sweep_curves.ROUTES,
        *sweep_failures.ROUTES,
        *sweep_importance.ROUTES,
        *sweep_texts.ROUTES,
        *login.ROUTES,
        *sweep_facts.ROUTES,
        *sweep_runs.ROUTES,
        *actions.ROUTES,
        *actions_data.ROUTES,
        *artifact_facts.ROUTES,
        *netron.ROUTES,
        *models.ROUTES,
        *run_facts.ROUTES,
        *run_log.ROUTES,
        *run_tree.ROUTES,
        *system_metrics.ROUTES,
        *run_charts.ROUTES,
        *run_history.ROUTES,
        *run_media.ROUTES,
        *views.ROUTES,
    ]


def _works(app: Starlette) -> list[Coroutine[Any, Any, None]]:
    """Give what goes on behind the requests, as long as the server runs."""
    store = app.state.store
    keepers = (Reaper(app.state.dispatcher), app.state.data_watch, BlockFilling(store), Expiry(store, app.state.blobs))
    return [keeper.work() for keeper in keepers]


@contextlib.contextmanager
def _noting_fault(app: Starlette) -> Iterator[None]:
    """Keep what goes wrong at the start for whoever runs the server: uvicorn only writes a traceback."""
    try:
        yield
    except Exception as error:
        app.state.fault = error
        raise


def _furnish(app: Starlette, data_dir: Path, dispatcher: Dispatcher) -> bytes:
    """Put what requests need where they find it; give the secret that signs addresses."""
    now, store = time.time(), dispatcher.store
    key = users.embedded_key(data_dir)
    with store.write() as db:
        users.ensure_user(db, users.EMBEDDED_USER, key, now=now)
        secret = users.upload_secret(db)
    shelf = data_dir / "files"
    disk.make_folders(shelf, data_dir)
    app.state.store = store
    app.state.page_watch = PageWatch(store, app.state.is_ending)
    app.state.files = FileStore(shelf)
    with store.write() as db:
        run_files.settle(db, app.state.files, now=now)
    deletion.tidy(store, app.state.files)
    app.state.blobs = BlobStore(data_dir / ARTIFACTS)
    commit.tidy(store, app.state.blobs, now=now)
    app.state.dispatcher = dispatcher
    with store.read() as db:
        for sweep in sweeps.running(db):
            dispatcher.changed(sweep.id)
    app.state.graphql_threads = anyio.CapacityLimiter(GRAPHQL_THREADS)
    return secret


async def _refuse(request: Request, error: Exception) -> Response:
    """Turn what is wrong with a request into an answer the SDK can show, or a page for a browser."""
    message, status, headers = "the text holds half a surrogate pair", 400, None
    if isinstance(error, RequestError):
        message, status = error.message, error.status
    elif isinstance(error, HTTPException):
        message, status, headers = error.detail, error.status_code, dict(error.headers or {})
    if status == 404 and (elsewhere := missing.with_spaces(request)):
        return elsewhere
    if missing.wants_page(request):
        return missing.refusal_page(request, message, status)
    return refusal_answer(message, status, headers)
