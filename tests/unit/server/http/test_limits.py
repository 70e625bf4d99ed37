"""What one request may cost: slow bodies, deep JSON, patterns."""

from __future__ import annotations

import anyio
import pytest

from sweeper.server.http import limits


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
