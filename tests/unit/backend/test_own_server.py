"""Sweeper's own server, asked past the SDK."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from sweeper.backend.own_server import OwnServer, UnknownQuestionError, plain_config
from sweeper.errors import BackendError
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings

SETTINGS = Settings(home=Path("nowhere"))
REF = SweepRef("e", "p", "s")
NOBODY = Backend(kind="wandb", base_url="http://127.0.0.1:1", api_key="k" * 40)


@pytest.fixture
def own(settings, backend) -> OwnServer:
    """The same, asked past the SDK."""
    return OwnServer(backend, settings)


def test_what_a_server_refuses_is_said(server):
    """A wrong key, for one; the words are the server's."""
    server.answer = (401, {}, b'{"errors": [{"message": "no user has this key"}]}')
    with pytest.raises(BackendError, match="no user has this key"):
        OwnServer(Backend(kind="local", base_url=server.url, api_key="k"), SETTINGS).sweep(REF, "Q", "state")
    with pytest.raises(BackendError, match="cannot read sweep e/p/s"):
        OwnServer(NOBODY, SETTINGS).sweep(REF, "Q", "state")


def test_a_config_is_the_trainers():
    """Values without their wrapping, and nothing of the SDK's own."""
    text = '{"lr": {"value": 0.1}, "plain": 2, "opt": {"value": {"name": "adam"}}, "_wandb": {"value": {}}}'
    assert plain_config(text) == {"lr": 0.1, "plain": 2, "opt": {"name": "adam"}}


def test_a_question_of_ones_own(own):
    """About no single sweep; one that the server does not know is told to be such."""
    assert own.ask("{ viewer { name } }", "the user")["viewer"]["name"] == "local"
    with pytest.raises(UnknownQuestionError):
        own.ask("{ weather }", "the weather")


def test_who_waits_only_a_moment_says_so():
    """A completion does not wait as long as a command."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        server = OwnServer(Backend(kind="local", base_url=url, api_key="k"), SETTINGS, timeout_s=0.2)
        began = time.monotonic()
        with pytest.raises(BackendError):
            server.ask("{ viewer { name } }", "the user")
    assert time.monotonic() - began < 5
