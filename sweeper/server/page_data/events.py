"""What is sent to a page that is open (server-sent events): the topics that have changed, and nothing else.

The page then asks for what it shows. A stream ends after some minutes, and with the server: browsers come back by
themselves, are let in anew, and say with `Last-Event-ID` what they know.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.page_data.page_watch import PageWatch, Seen, Subject
from sweeper.server.store import projects, runs, sweeps
from sweeper.server.store.database import Connection, Store

EVENTS = "/-/events"
LONGEST_S = 300.0
"""A stream is begun anew then: whoever was logged out meanwhile is not let in again."""
PING_S = 20.0
"""Between two signs of life, by which the server finds out who has gone."""
RETRY_MS = 2000
"""After which a browser comes back."""
MOST_PAGES = 1000
MOST_RUNS = 50
"""On one page."""
SLACK_S = 1.0
"""What happened so long before a page was asked for may have come too late for it."""


async def stream(request: Request) -> Response:
    """Tell a page what changes, as long as it is open.

    Raises:
        RequestError: Too many pages are open, or the address is none of ours.
    """
    watch: PageWatch = request.app.state.page_watch
    subjects = await run_in_threadpool(_find, request.app.state.store, request)
    if watch.pages >= MOST_PAGES:
        raise RequestError(f"{MOST_PAGES} pages are open already", 503)
    known = request.headers.get("last-event-id") or request.query_params.get("last", "")
    since = time.time() - _age_s(request) - SLACK_S
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":  # a page asks so whether it would be let in
        return Response(headers=headers, media_type="text/event-stream")
    return StreamingResponse(_said(watch, subjects, known, since), headers=headers, media_type="text/event-stream")


def _age_s(request: Request) -> float:
    """Read how long ago the page was asked for, by its browser's clock."""
    text = request.query_params.get("age", "0")
    return min(int(text), 86_400_000) / 1000 if text.isascii() and text.isdigit() else 0.0


def _find(store: Store, request: Request) -> list[Subject]:
    with store.read() as db:
        return [_subject(db, request, topic) for topic in request.query_params.get("topics", "home").split(",")[:4]]


def _subject(db: Connection, request: Request, topic: str) -> Subject:
    """Look up what a topic means on a page; whoever may not see it is told that it is not there."""
    asked = request.query_params
    if topic == "home":
        return Subject(topic)
    place = projects.find(db, asked.get("entity", ""), asked.get("project", ""))
    if place is None:
        raise NotFoundError("no such project here")
    if topic == "project":
        return Subject(topic, (place.id,))
    if topic == "sweep":
        sweep = sweeps.find(db, asked.get("sweep", ""), place.id)
        if sweep is None:
            raise NotFoundError("no such sweep here")
        return Subject(topic, (sweep.id,))
    if topic != "run":
        raise RequestError(f"no topic {topic[:100]!r}: ask for home, project, sweep or run")
    found = [runs.find(db, place.id, name) for name in asked.get("run", "").split(",")[:MOST_RUNS]]
    ids = tuple(sorted({run.id for run in found if run}))
    if not ids:
        raise NotFoundError("no such run here")
    return Subject(topic, ids)


async def _said(watch: PageWatch, subjects: list[Subject], known: str, since: float) -> AsyncIterator[str]:
    """Say what changes, until it is time to begin anew."""
    page, until = asyncio.Event(), time.monotonic() + LONGEST_S
    try:
        await watch.open(subjects, page)
        told = [watch.seen(subject) for subject in subjects]
        yield f"retry: {RETRY_MS}\n\n" + _event(subjects, told, _since(told, known, since))
        while not watch.is_ending() and (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, PING_S)):
                    await page.wait()
            except TimeoutError:
                yield ": here\n\n"
                continue
            page.clear()
            now = [watch.seen(subject) for subject in subjects]
            changed = [old.word != new.word for old, new in zip(told, now, strict=True)]
            told = now
            if any(changed):
                yield _event(subjects, told, changed)
    finally:
        watch.close(page)


def _since(told: list[Seen], known: str, since: float) -> list[bool]:
    """Say what has changed since a page last heard of it, or since it was asked for."""
    words = known.split(".")
    if len(words) == len(told):
        return [word != seen.word for word, seen in zip(words, told, strict=True)]
    return [seen.at >= since for seen in told]


def _event(subjects: list[Subject], told: list[Seen], changed: list[bool]) -> str:
    topics = [subject.topic for subject, is_new in zip(subjects, changed, strict=True) if is_new]
    words = ".".join(seen.word for seen in told)
    return f"id: {words}\nevent: changed\ndata: {json.dumps({'topics': topics})}\n\n"


ROUTES = [Route(EVENTS, stream)]
