"""What one request may cost: slow bodies, deep JSON, patterns."""

from __future__ import annotations

import os

import anyio
import pytest

from sweeper.server.errors import RequestError
from sweeper.server.http import limits
from sweeper.server.store.disk import KEPT_FREE, DiskFullError


def test_a_body_that_stops_coming_is_given_up():
    """A client that stops in the middle of a body does not hold the server up."""
    pieces, given_up = [{"type": "http.request", "body": b"x", "more_body": True}], []

    async def app(scope, receive, send):  # noqa: ARG001
        await receive()
        try:
            await receive()
        except limits.TooSlowError as error:
            given_up.append(error.status)

    async def receive():
        if not pieces:
            await anyio.Event().wait()
        return pieces.pop()

    async def send(message):
        pass

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    anyio.run(limits.Limits(app, first_s=0.05), scope, receive, send)
    assert given_up == [408]


def test_every_answer_keeps_to_itself(client):
    """Pages, JSON, files and refusals are neither framed nor kept, and are what their type says."""
    client.init("r")
    client.upload("r", "a.txt", b"x")
    for path in ("/", "/healthz", "/files/local/p/r/a.txt", "/nope", "/login"):
        headers = client.http.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_bug_is_answered_with_a_number_only(client, caplog):
    """What went wrong stands in the log under the number that the client is told; no path, no SQL."""
    with client.http.app.state.store.write() as db:
        db.execute("ALTER TABLE projects RENAME TO gone")
    answers = [
        client.http.post("/graphql", json={"query": "{ models { pageInfo { hasNextPage } } }"}),
        client.http.get("/"),
    ]
    with client.http.app.state.store.write() as db:
        db.execute("ALTER TABLE gone RENAME TO projects")
    for answer in answers:
        assert answer.status_code == 500
        (error,) = answer.json()["errors"]
        assert "projects" not in answer.text
        assert error["message"].split()[-1] in caplog.text


def test_a_reader_that_stops_reading_is_given_up():
    """A client that takes nothing of its answer does not hold the server up."""
    given_up = []

    async def app(scope, receive, send):  # noqa: ARG001
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        except TimeoutError:
            given_up.append(True)

    async def send(message):  # noqa: ARG001
        await anyio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    anyio.run(limits.Limits(app, stalled_s=0.05), scope, None, send)
    assert given_up == [True]


def test_a_header_of_an_answers_own_stays():
    """What an endpoint says of its answer is not overwritten."""
    sent = []

    async def app(scope, receive, send):  # noqa: ARG001
        headers = [(b"content-security-policy", b"sandbox")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(message):
        sent.append(dict(message["headers"]))

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    anyio.run(limits.Limits(app), scope, None, send)
    assert sent[0][b"content-security-policy"] == b"sandbox"
    assert sent[0][b"x-frame-options"] == b"DENY"


def test_what_need_not_wait_needs_no_clock():
    """Its value and its error come through, at once or after a while; only what waits can come too late."""

    async def later(value):
        for _ in range(3):
            await anyio.sleep(0.001)
        return value

    async def at_once(value):
        return value

    async def fails(wait_s):
        if wait_s:
            await anyio.sleep(wait_s)
        raise KeyError

    async def all_of_them():
        assert await limits.within(5, at_once(1)) == 1
        assert await limits.within(-1, at_once(1)) == 1
        assert await limits.within(5, later(2)) == 2
        for wait_s in (0, 0.001):
            with pytest.raises(KeyError):
                await limits.within(5, fails(wait_s))
        with pytest.raises(TimeoutError):
            await limits.within(0.01, anyio.sleep(5))

    anyio.run(all_of_them)


def test_a_body_may_take_as_long_as_it_comes_fast_enough():
    """A minute, and longer by what has come: an upload of many gigabytes is not broken off."""
    steps = [(0, b"x" * limits.SLOWEST_RATE), (0.3, b"y" * 10), (0.1, b"")]
    got = []

    async def receive():
        delay_s, body = steps.pop(0)
        await anyio.sleep(delay_s)
        return {"type": "http.request", "body": body, "more_body": bool(steps)}

    async def app(scope, receive, send):  # noqa: ARG001
        while (message := await receive())["more_body"]:
            got.append(len(message["body"]))

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    anyio.run(limits.Limits(app, first_s=0.05), scope, receive, None)
    assert got == [limits.SLOWEST_RATE, 10]


def test_a_header_is_there_once():
    """Whatever an endpoint says itself, in any case of letters, is said by nobody else."""
    sent = []

    async def app(scope, receive, send):  # noqa: ARG001
        headers = [(b"Cache-Control", b"no-cache"), (b"content-security-policy", b"sandbox")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(message):
        sent.extend(name.lower() for name, _ in message["headers"])

    anyio.run(limits.Limits(app), {"type": "http", "method": "GET", "path": "/", "headers": []}, None, send)
    assert sorted(sent) == sorted(name.lower().encode() for name in limits.HEADERS)


def test_an_upload_has_room_to_the_last_byte_and_no_further(tmp_path):
    """Of the limit, and of what the disk has beside that which the database keeps."""
    limits._check_room(tmp_path, 6, 10, 4)
    for coming, taken in ((7, 4), (0, 11), (11, 0)):
        with pytest.raises(RequestError, match="10 bytes") as caught:
            limits._check_room(tmp_path, coming, 10, taken)
        assert caught.value.status == 413
    found = os.statvfs(tmp_path)
    free, slack = found.f_bavail * found.f_frsize, 2**28
    limits._check_room(tmp_path, free - KEPT_FREE - slack, 2**60)
    with pytest.raises(DiskFullError, match="MiB left"):
        limits._check_room(tmp_path, free - KEPT_FREE + slack, 2**60)
