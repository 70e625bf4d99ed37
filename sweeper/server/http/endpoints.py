"""The HTTP endpoints of the SDK: GraphQL, file_stream, files, telemetry, and ours for health."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import unquote

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from sweeper.run import RunState
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql import executor, heartbeat
from sweeper.server.graphql.context import Context
from sweeper.server.graphql.operations import Operations
from sweeper.server.http import compression, file_stream_body, limits, signed
from sweeper.server.http.batches import Batches
from sweeper.server.rules import deletion, early_handout, file_stream, shared_mode
from sweeper.server.rules.dispatcher import UnhurriedError
from sweeper.server.rules.file_stream import Kept
from sweeper.server.rules.held_heartbeats import HeldHeartbeats
from sweeper.server.store import projects, run_files, runs
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.run_files import FileStore
from sweeper.server.strict_json import JsonAnswer

HOLDER_HEADER = "x-sweeper-holder"
"""Names the process that a request comes from; a worker has the SDK send it (WANDB_X_EXTRA_HTTP_HEADERS)."""
SLOT_HEADER = "x-sweeper-slot"
"""Names the slot in which that process is."""
COUNT_HEADER = "x-sweeper-count"
"""Names the group of workers for which a run counts that is given to this process, and how many runs it takes."""
REASON_HEADER = "x-sweeper-reason"
"""Says why a worker asks for the end of its run, or for another attempt at it; percent-encoded."""
WHY_HEADER = "x-sweeper-why"
"""Says that a person asks, and why: what a command of ours has the SDK send; percent-encoded."""
SCHEME_HEADER = "x-sweeper-scheme"
"""Says how the client speaks to a relay, which speaks TLS to us: the addresses that it gets must be its own."""

MAX_BODY = 64 * 2**20
"""Bytes of a JSON body: a summary with tables and histograms is a few MiB."""
SMALL = 32 * 2**10
"""Bytes of a request that others may wait for: fifty rows of a history."""
_HEARTBEAT = heartbeat.FIELD.encode()

Prove = Callable[[str], str]

MAX_NONCE = 128
"""Characters that are answered with a proof."""


async def health(request: Request) -> Response:
    """Say that the server is there, and prove which one to those who send a nonce and may read its data directory."""
    if not await request.app.state.data_watch.whole():
        raise RequestError("the data of this server were deleted: it ends", 503)
    answer = {"service": "sweeper", "version": _version()}
    nonce, prove = request.query_params.get("nonce", ""), request.app.state.prove
    if prove is not None and 0 < len(nonce) <= MAX_NONCE:
        answer["proof"] = prove(nonce)
    return JsonAnswer(answer)


def _version() -> str:
    try:
        return version("sweeper")
    except PackageNotFoundError:  # run from a folder without installation
        return "unknown"


async def graphql_endpoint(request: Request) -> Response:
    """Answer a GraphQL request: a heartbeat together with others, what takes longer in a thread.

    A heartbeat waits, without a thread, for the end of its agent's run, that of an idle worker for one, and is then
    answered anew.
    """
    body = await compression.whole(request, limit=MAX_BODY)
    context = context_of(request, hurried=len(body) <= SMALL and _HEARTBEAT in body)
    status, content = await _execute(request, body, context)
    held: HeldHeartbeats = request.app.state.held_heartbeats
    hold_s = min(request.app.state.hold_s, early_handout.hold_s(request.headers.get("user-agent", "")))
    until = time.monotonic() + hold_s
    while (context.watched or context.idle) and (left := until - time.monotonic()) > 0:
        idle = next(iter(context.idle), None)
        if not await held.hold(context.watched, request.receive, timeout_s=left, idle=idle):
            break
        context = replace(context_of(request), held=True)
        status, content = await _execute(request, body, context)
    return JsonAnswer(content, status_code=status)


async def _execute(request: Request, body: bytes, context: Context) -> tuple[int, dict[str, Any]]:
    if context.hurried:
        batches: Batches = request.app.state.batches
        with contextlib.suppress(UnhurriedError):
            return await batches.carry_out(partial(executor.answer, body, Operations(context)))
        context = replace(context, hurried=False)  # with the same list of what is watched
    limiter: anyio.CapacityLimiter = request.app.state.graphql_threads
    return await anyio.to_thread.run_sync(executor.answer, body, Operations(context), limiter=limiter)


async def take_lines(request: Request) -> Response:
    """Take what a run logs: a few lines together with what others sent, many in a thread of their own."""
    context, names = context_of(request), request.path_params
    body = await compression.whole(request, limit=MAX_BODY)
    run = (names["entity"], names["project"], names["run"])
    writer = request.headers.get(shared_mode.WRITER_HEADER, "")
    take = partial(file_stream.keep, user=context.user, holder=context.holder, writer=writer, now=context.now)

    def keep() -> Kept:
        sent = file_stream_body.read(body)  # here too: rows for megabytes take a while to parse
        return take(context.dispatcher, *run, sent)

    kept = await (request.app.state.batches.carry_out(keep) if len(body) <= SMALL else run_in_threadpool(keep))
    stopped = kept.stopped
    if kept.judged_since is not None:
        stopped = await run_in_threadpool(file_stream.judge, context.dispatcher, kept, now=context.now)
    if kept.complete:
        request.app.state.held_heartbeats.check_now()
    return JsonAnswer(file_stream_body.answer(stopped=stopped))


async def telemetry(request: Request) -> Response:  # noqa: ARG001
    """Take the SDK's own telemetry (OTLP) and drop it."""
    return Response(status_code=200)


async def upload_file(request: Request) -> Response:
    """Take one file of a run, as a stream."""
    store: Store = request.app.state.store
    shelf: FileStore = request.app.state.files
    names = file_names(request)
    check = signed.right_to(request, "upload", *names)
    check()
    shelf.locate(*names)  # or it is refused
    try:
        arrival = await shelf.take(signed.while_held(limits.upload(request, shelf.root), check))
    except ClientDisconnect as error:
        raise RequestError("the upload broke off") from error
    try:
        await run_in_threadpool(_keep, store, shelf, names, arrival, signed.user_id(request))
    finally:
        await anyio.Path(arrival.temporary).unlink(missing_ok=True)
    return Response(status_code=200)


def _keep(
    store: Store, shelf: FileStore, names: tuple[str, str, str, str], arrival: run_files.Arrival, user_id: int
) -> None:
    """Put an upload in its place and note it; a server that dies in between finds out at its next start."""
    entity, project, run_name, path = names
    place, now = shelf.locate(*names), time.time()
    shelf.make_room(place)
    with store.write() as db:
        home = projects.ensure(db, entity, project, now=now)
        run = runs.find(db, home.id, run_name)
        if run is None:
            deletion.check_new(db, home.id, run_name)
            run = runs.create(db, home.id, run_name, state=RunState.RUNNING, now=now, user_id=user_id)
        run_files.announce(db, run.id, path, arrival)
    with store.write() as db:  # one at a time, so that what lies there last is what was noted last
        arrival.move(place)
        run_files.record(db, run.id, path, arrival.size, arrival.md5, now=now)


async def download_file(request: Request) -> Response:
    """Give out one file of a run."""
    store: Store = request.app.state.store
    shelf: FileStore = request.app.state.files
    names = file_names(request)
    place = shelf.locate(*names)
    found = await run_in_threadpool(_stored_file, store, names)
    if not await anyio.Path(place).is_file():
        raise NotFoundError(f"the content of {found.path!r} is gone")
    # what a run uploaded may be a web page: it must not act in our name
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'"}
    return FileResponse(place, media_type=_media_type(found.mimetype), headers=headers)


def _media_type(known: str | None) -> str:
    """Say what a run's file is sent as: what a page of ours could load as a script or a style of its own is text."""
    # browsers run nothing that is sent as text with `nosniff` (limits.py)
    kind = known or "application/octet-stream"
    return "text/plain" if "script" in kind.lower() or "css" in kind.lower() else kind


def _stored_file(store: Store, names: tuple[str, str, str, str]) -> run_files.StoredFile:
    with store.read() as db:
        return find_file(db, names)


def find_file(db: Connection, names: tuple[str, str, str, str]) -> run_files.StoredFile:
    """Find a file of a run by entity, project, run and path.

    Raises:
        NotFoundError: There is no such run, or no such file in it.
    """
    entity, project, run_name, path = names
    place = projects.find(db, entity, project)
    run = runs.find(db, place.id, run_name) if place else None
    if run is None:
        raise NotFoundError(f"no run {entity}/{project}/{run_name} here")
    return run_files.find(db, run.id, path)


def file_names(request: Request) -> tuple[str, str, str, str]:
    """Give entity, project, run and path of the file that a request names."""
    names = request.path_params
    return names["entity"], names["project"], names["run"], names["path"]


def context_of(request: Request, *, hurried: bool = False) -> Context:
    """Gather what the resolvers of a request need."""
    state = request.app.state
    scheme = "http" if request.headers.get(SCHEME_HEADER) == "http" else request.scope["scheme"]
    address = f"{scheme}://{request.headers['host']}"
    return Context(
        state.dispatcher,
        state.files,
        state.blobs,
        state.signer,
        request.state.user,
        address,
        time.time(),
        holder=request.headers.get(HOLDER_HEADER, ""),
        slot=request.headers.get(SLOT_HEADER, ""),
        joint=request.headers.get(COUNT_HEADER, ""),
        reason=unquote(request.headers.get(REASON_HEADER, "")),  # headers are ASCII, and what a trainer raised is not
        why=None if (why := request.headers.get(WHY_HEADER)) is None else unquote(why),
        hurried=hurried,
    )
