"""What one request may cost: slow bodies, deep JSON, long answers, patterns."""

from __future__ import annotations

import json

import anyio
import pytest

from sweeper.server import strict_json
from sweeper.server.errors import RequestError
from sweeper.server.graphql import executor
from sweeper.server.graphql.cost import Budget, SpentError
from sweeper.server.http import limits
from sweeper.server.store.run_filters import _regex


def test_a_pattern_takes_linear_time():
    """A pattern over which Python's own engine would sit for years is answered at once."""
    assert not _regex("a" * 5000 + "b", "(a+)+$")
    assert _regex(["x", "hellö"], "(?i)^HELLÖ$")


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "[", "a" * 300, 5, None])
def test_a_pattern_that_cannot_be_taken_is_refused(pattern):
    """What RE2 lacks, what is no pattern and what is too long is the client's mistake."""
    with pytest.raises(RequestError):
        _regex("a", pattern)


@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_nesting_of_json_is_bounded(bracket):
    """A hundred levels are read, one more is refused; many brackets beside each other are no nesting."""
    opened, closed = ("[", "]") if bracket == "[]" else ('{"a":', "}")
    for depth, text in ((100, "0"), (101, "0")):
        whole = opened * depth + text + closed * depth
        if depth == 100:
            assert strict_json.parse(whole, "it")
        else:
            with pytest.raises(RequestError, match="100 deep"):
                strict_json.parse(whole, "it")
    assert len(strict_json.parse(json.dumps([[]] * 5000), "it")) == 5000


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
