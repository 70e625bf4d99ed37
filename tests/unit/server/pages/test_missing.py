"""What a browser gets where there is no page."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from sweeper.server.pages.missing import refusal_page, wants_page, with_spaces


def asked(path: str, method: str = "GET", accept: str = "text/html") -> Request:
    headers = [(b"accept", accept.encode()), (b"host", b"x")]
    return Request({"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""})


@pytest.mark.parametrize(
    ("method", "accept", "page"),
    [("GET", "text/html,*/*", True), ("HEAD", "text/html", True), ("GET", "*/*", False), ("POST", "text/html", False)],
)
def test_a_browser_is_told_by_what_it_takes(method, accept, page):
    """Whoever takes anything is a program, and whoever sends something, too."""
    assert wants_page(asked("/", method, accept)) is page


def test_what_stands_in_an_address_is_text(client):
    """It may have been made by somebody else."""
    answer = refusal_page(asked("/<script>/b c/d"), "no <b>", 404)
    text = bytes(answer.body).decode()
    assert "<script>" not in text
    assert "No &lt;b&gt;" in text
    assert 'href="/%3Cscript%3E/b%20c"' in text
    assert client.http.get("/healthz/", headers={"Accept": "text/html"}).status_code in {200, 404}


@pytest.mark.parametrize(
    ("path", "method", "location"),
    [
        ("/local/my+p", "GET", "/local/my%20p"),
        ("/local/my+p/runs/ä+b", "HEAD", "/local/my%20p/runs/%C3%A4%20b"),
        ("/local/p", "GET", None),
        ("/local/my+p", "POST", None),
        ("/files/local/p/r/a+b", "GET", None),
        ("/artifactsV2/x/local/p/c/b/m/a+b", "GET", None),
        ("/artifacts-of/my+p", "GET", "/artifacts-of/my%20p"),
        ("//elsewhere.example/a+b", "GET", "/elsewhere.example/a%20b"),
    ],
)
def test_a_plus_may_be_a_space(path, method, location):
    """In the pages' addresses only: files are found under the very names they have."""
    answer = with_spaces(asked(path, method))
    assert (answer and answer.headers["location"]) == location
