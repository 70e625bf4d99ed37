"""Which runs a page asks about."""

from __future__ import annotations

import base64

import pytest
from starlette.requests import Request

from sweeper.server.errors import RequestError
from sweeper.server.page_data.selection import selected


def asking(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def test_all_are_meant_where_nothing_is_said():
    """A page without a filter asks so."""
    assert selected(asking(""), "abc") == ["a", "b", "c"]


def test_a_bit_stands_for_each_run():
    """The highest of a byte first; runs that came since are not among them."""
    text = base64.urlsafe_b64encode(bytes([0b10100000, 0b01000000])).decode().rstrip("=")
    assert selected(asking(f"runs={text}"), "abcdefghijklmnopqr") == ["a", "c", "j"]
    assert selected(asking("runs="), "abc") == []


def test_what_is_no_base64_is_refused():
    """In words."""
    with pytest.raises(RequestError, match="no base64"):
        selected(asking("runs=%C3%A4!"), "abc")
