"""Data of pages: in JSON that every reader takes, packed for a browser, and refused in words."""

from __future__ import annotations

import gzip

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sweeper.server.budget import SpentError
from sweeper.server.page_data.answers import SWEEP, data_route, find_run, find_sweep
from sweeper.server.store.database import MEMORY, Store


@pytest.fixture
def ask():
    """What asks a server that has one route of data, which tells what it is given."""
    store = Store(MEMORY)

    def client(read):
        app = Starlette(routes=[data_route("/-/data/{entity}/{project}", read)])
        app.state.store = store
        return TestClient(app)

    yield client
    store.close()


def test_numbers_that_are_none_become_words(ask):
    """As W&B writes them; half a surrogate pair that a run sent is passed on, too."""
    answer = ask(lambda _db, _request: {"a": float("nan"), "b": [float("inf"), 1.5]}).get("/-/data/e/p")
    assert answer.json() == {"a": "NaN", "b": ["Infinity", 1.5]}
    assert ask(lambda _db, _request: {"a": "\ud800", "b": float("nan")}).get("/-/data/e/p").json()["b"] == "NaN"


def test_long_answers_are_packed_for_whoever_takes_that(ask):
    """A browser does; curl does not by itself."""
    long = ask(lambda _db, _request: ["word"] * 1000)
    packed = long.get("/-/data/e/p", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == ["word"] * 1000
    plain = long.get("/-/data/e/p", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == ["word"] * 1000
    assert len(gzip.compress(plain.content, 5)) < len(plain.content)
    assert packed.headers["cache-control"] == plain.headers["cache-control"] == "no-store"


def test_more_than_an_answer_may_have_is_refused(client):
    """With what to do about it; it is no `Exception`, which the server would answer by itself."""

    def read(_db, _request):
        raise SpentError("ask for less")

    client.http.app.router.routes.insert(0, data_route("/-/data/{entity}/{project}", read))
    answer = client.http.get("/-/data/e/p")
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["message"] == "ask for less"


@pytest.mark.parametrize("path", ["/nobody/p/sweeps/s", "/local/p/sweeps/none", "/local/p/runs/none"])
def test_what_is_not_there_is_named(client, path):
    """As everywhere: with 404, in the SDK's form."""
    client.sweep({"method": "random", "parameters": {"lr": {"values": [1]}}})
    read = find_run if "/runs/" in path else find_sweep
    kind = "runs/{run}" if "/runs/" in path else "sweeps/{sweep}"
    client.http.app.router.routes.insert(0, data_route(f"/-/data/{{entity}}/{{project}}/{kind}", read))
    answer = client.http.get("/-/data" + path)
    assert answer.status_code == 404
    assert "no " in answer.json()["errors"][0]["message"]
    assert SWEEP.startswith("/-/data/")
