"""A command's requests say that a person asks, and why."""

from __future__ import annotations

import json
import os
from urllib.parse import unquote

import pytest

from sweeper.backend import sdk_releases
from sweeper.backend.said_why import MOST, WHY_HEADER, headers, say_why

HEADERS = "WANDB_X_EXTRA_HTTP_HEADERS"
pytestmark = pytest.mark.usefixtures("environ")


def test_the_reason_goes_with_every_request(monkeypatch):
    """In whatever words and whatever length, beside the headers that somebody else had the SDK send."""
    monkeypatch.setenv(HEADERS, '{"X-Mine": "1"}')
    assert headers() == {}
    say_why('es brennt: "ö"\n')
    told = json.loads(os.environ[HEADERS])
    assert told["X-Mine"] == "1"
    assert told[WHY_HEADER].isascii()
    assert unquote(told[WHY_HEADER]) == 'es brennt: "ö"\n'
    assert headers() == {WHY_HEADER: told[WHY_HEADER]}
    say_why("x" * 10_000)
    assert len(json.loads(os.environ[HEADERS])[WHY_HEADER]) == MOST


def test_no_reason_still_tells_that_a_person_asks(monkeypatch):
    """The server notes who and when."""
    monkeypatch.delenv(HEADERS, raising=False)
    say_why("")
    assert json.loads(os.environ[HEADERS]) == headers() == {WHY_HEADER: ""}


def test_an_sdk_that_fails_of_headers_is_given_none(monkeypatch):
    """Our own requests say it all the same."""
    monkeypatch.delenv(HEADERS, raising=False)
    monkeypatch.setattr(sdk_releases, "installed", lambda: "0.19.11")
    say_why("why not")
    assert HEADERS not in os.environ
    assert headers() == {WHY_HEADER: "why%20not"}
