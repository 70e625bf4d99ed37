"""The server put together: routes, start and end, and `serve` that runs it in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Collection
from functools import partial
from pathlib import Path

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.server import artifact_commit, artifact_endpoints, dashboard, early, endpoints, files, sweeps, users
from sweeper.server.access import ANY_HOST, Gate
from sweeper.server.artifact_blobs import BlobStore
from sweeper.server.files import FileStore
from sweeper.server.reaper import Patience, Reaper
from sweeper.server.refusal import RequestError
from sweeper.server.scheduler import Scheduler
from sweeper.server.searcher import Searcher, SearchProcess
from sweeper.server.signing import Signer
from sweeper.server.store import Store
from sweeper.server.strictjson import refusal_answer
from sweeper.server.vigil import Vigil

log = logging.getLogger(__name__)

LOOPBACK = ("localhost", "127.0.0.1", "::1")
GRAPHQL_THREADS = 200
"""Heartbeats that may wait for a search at the same time; file streams have threads of their own."""
KEEP_ALIVE_S = 120
"""Longer than wandb-core keeps an idle connection (90 s): who closes first must be the client, who knows whether it is
about to send. An agent's requests are 5 s and a run's 15 s apart."""


def create_app(
    data_dir: Path,
    *,
    hosts: Collection[str] = LOOPBACK,
    patience: Patience | None = None,
    search_ahead: bool = True,
    hold_s: float = early.HOLD_S,
) -> Starlette:
    """Make the server as an ASGI application.

    Args:
        data_dir: Its data directory, made if need be; the database is opened when the application starts.
        hosts: Names under which it may be addressed.
        patience: For how long silence is borne, if not as by default.
        search_ahead: Compute suggestions ahead in a process of its own, not when they are asked for.
        hold_s: For how long at most the heartbeat of a busy agent may wait for its run's end.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with contextlib.ExitStack() as stack:
            store = stack.enter_context(contextlib.closing(users.open_store(data_dir)))
            start = partial(SearchProcess, data_dir / users.DATABASE)
            searcher = stack.enter_context(contextlib.closing(Searcher(store, start))) if search_ahead else None
            _furnish(app, store, data_dir, searcher)
            borne = patience or Patience()
            app.state.vigil = Vigil(store, app.state.is_ending)
            app.state.hold_s = min(hold_s, borne.agent_s / 3)
            reaper = asyncio.create_task(Reaper(app.state.scheduler, borne).work())
            try:
                yield
            finally:
                await app.state.vigil.close()
                reaper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reaper

    app = Starlette(
        routes=_routes(),
        lifespan=lifespan,
        middleware=[Middleware(Gate, hosts=hosts)],
        exception_handlers={
            RequestError: _refuse,
            HTTPException: _refuse,
            UnicodeEncodeError: _refuse,
        },
    )
    app.state.is_ending = bool
    return app


def _routes() -> list[Route]:
    run_files = "/files/{entity}/{project}/{run}"
    return [
        Route("/healthz", endpoints.health),
        Route("/graphql", endpoints.graphql_endpoint, methods=["POST"]),
        Route(f"{run_files}/file_stream", endpoints.file_stream, methods=["POST"]),
        Route(run_files + "/{path:path}", endpoints.upload_file, methods=["PUT"]),
        Route(run_files + "/{path:path}", endpoints.download_file, methods=["GET"]),
        Route("/sdk/otel/{rest:path}", endpoints.telemetry, methods=["POST"]),
        *artifact_endpoints.ROUTES,
        *dashboard.ROUTES,
    ]


def _furnish(app: Starlette, store: Store, data_dir: Path, searcher: Searcher | None) -> None:
    """Put what requests need where they find it."""
    now = time.time()
    key = users.embedded_key(data_dir)
    with store.write() as db:
        users.ensure_user(db, users.EMBEDDED_USER, key, now=now)
        secret = users.upload_secret(db)
    shelf = data_dir / "files"
    shelf.mkdir(mode=0o700, exist_ok=True)
    app.state.store = store
    app.state.files = FileStore(shelf)
    with store.write() as db:
        files.settle(db, app.state.files, now=now)
    app.state.blobs = BlobStore(data_dir / "artifacts")
    artifact_commit.tidy(store, app.state.blobs, now=now)
    app.state.signer = Signer(secret)
    app.state.scheduler = Scheduler(store, searcher)
    with store.read() as db:
        for sweep in sweeps.running(db):
            app.state.scheduler.changed(sweep.id)
    app.state.graphql_threads = anyio.CapacityLimiter(GRAPHQL_THREADS)


async def _refuse(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Turn what is wrong with a request into an answer the SDK can show."""
    if isinstance(error, RequestError):
        return refusal_answer(error.message, error.status)
    if isinstance(error, HTTPException):
        return refusal_answer(error.detail, error.status_code, dict(error.headers or {}))
    return refusal_answer("the text holds half a surrogate pair", 400)


def serve(*, host: str, port: int, data_dir: Path, patience: Patience | None = None) -> None:
    """Run the server in the foreground until SIGTERM or SIGINT.

    Args:
        host: The address to listen on. Under a wildcard address clients may use any name for the server.
        port: The port.
        data_dir: The data directory, made if need be.
        patience: For how long silence is borne, if not as by default.

    Raises:
        StoreError: Its database cannot be used.
    """
    users.open_store(data_dir).close()  # migrated, or refused in words: uvicorn would print a traceback
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    hosts = {ANY_HOST} if host in {"0.0.0.0", "::", ""} else {*LOOPBACK, host}  # noqa: S104 - compared, not bound
    app = create_app(data_dir, hosts=hosts, patience=patience)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn (0.54) shuts down and then raises the signal again: the process would die of it instead of exiting
        signal.signal(number, lambda *_: None)
    server = uvicorn.Server(config)
    app.state.is_ending = lambda: server.should_exit
    server.run()
