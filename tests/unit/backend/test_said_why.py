"""A command's requests say that a person asks, and why."""

from __future__ import annotations

import json
import os
from urllib.parse import unquote

from sweeper.backend.said_why import HEADERS, MOST, WHY_HEADER, say_why


def test_the_reason_goes_with_every_request_of_the_sdk(monkeypatch):
    """In whatever words and whatever length, beside the headers that somebody else had it send."""
    monkeypatch.setenv(HEADERS, '{"X-Mine": "1"}')
    say_why('es brennt: "ö"\n')
    told = json.loads(os.environ[HEADERS])
    assert told["X-Mine"] == "1"
    assert told[WHY_HEADER].isascii()
    assert unquote(told[WHY_HEADER]) == 'es brennt: "ö"\n'
    say_why("x" * 10_000)
    assert len(json.loads(os.environ[HEADERS])[WHY_HEADER]) == MOST


def test_no_reason_still_tells_that_a_person_asks(monkeypatch):
    """The server notes who and when."""
    monkeypatch.delenv(HEADERS, raising=False)
    monkeypatch.setenv(HEADERS, "")
    say_why("")
    assert json.loads(os.environ[HEADERS]) == {WHY_HEADER: ""}
