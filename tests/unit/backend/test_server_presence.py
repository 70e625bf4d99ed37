"""Whether a server answers at all."""

from __future__ import annotations

import socket

import pytest

from sweeper.backend.server_presence import absence


def env(url: str) -> dict[str, str]:
    return {"WANDB_BASE_URL": url}


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500])
def test_whoever_answers_is_there(server, status):
    """Another server than sweeper's has no such page, and says so; the key stays here."""
    server.answer = (status, {}, b"no")
    assert absence(env(f"{server.url}/")) == ""
    assert server.seen == [("GET", "/healthz", None)]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_in_front_of_nobody_is_no_server(server, status):
    """It says that it cannot reach it."""
    server.answer = (status, {}, b"")
    assert absence(env(server.url)) == f"{server.url} is away (HTTP status {status})"


def test_nobody_is_nobody():
    """A closed port, and a listener that says no word of HTTP."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert absence(env(url)).startswith(f"nobody answers at {url}: ")


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://a/b", "http://"])
def test_where_there_is_no_address_nobody_can_be_missed(url):
    """The SDK has its own default: what it says is all that can be had."""
    assert absence(env(url)) == ""
    assert absence({}) == ""
