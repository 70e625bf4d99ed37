"""What one request may cost: slow bodies, deep JSON, long answers, patterns."""

from __future__ import annotations

import json

import anyio
import pytest

from sweeper.server.graphql import executor
from sweeper.server.graphql.cost import Budget, SpentError
from sweeper.server.http import limits


def test_an_answer_has_a_size_and_a_time():
    """A request is ended when it has asked for too many values, or for too long."""
    budget = Budget(values=3)
    for _ in range(3):
        budget.spend()
    with pytest.raises(SpentError, match="more than"):
        budget.spend()
    with pytest.raises(SpentError, match="longer than"):
        Budget(values=65, until=0.0).spend()


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


def test_nothing_is_looked_up_once_the_budget_is_spent():
    """An answer that grows too long is refused with what to do instead, and no further field is asked for."""
    asked = []
    root = {"viewer": lambda: asked.append(1) or {"id": "1"}}
    body = json.dumps({"query": "{ " + " ".join(f"a{i}: viewer {{ id }}" for i in range(9)) + " }"}).encode()
    status, content = executor.answer(body, root, Budget(values=6))
    assert (status, len(asked)) == (400, 3)
    assert "`first`" in content["errors"][0]["message"]
    assert executor.answer(body, root, Budget(values=18))[0] == 200
