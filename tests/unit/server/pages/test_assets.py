"""The files of pages: sent to everybody, packed, kept by browsers until one changes, and nothing else of the folder."""

from __future__ import annotations

import pytest

from sweeper.server.pages import assets


def test_a_file_is_sent_without_a_key_and_kept(client):
    """Under the address that pages give, for a year; under one of an older state it is asked for again."""
    del client.http.headers["Authorization"]
    answer = client.http.get(assets.address("dom.js"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == assets.FOREVER
    assert answer.headers["content-encoding"] == "gzip"
    assert b"export function h(" in answer.content
    older = client.http.get("/-/assets/older/style.css", headers={"Accept-Encoding": "identity"})
    assert older.headers["cache-control"] == "no-cache"
    assert b"--ink" in older.content


@pytest.mark.parametrize("path", ["README.md", "none.js", "../views.py", "%2e%2e/views.py", "/etc/passwd"])
def test_nothing_else_is_sent(client, path):
    """What is no asset has no address."""
    assert client.http.get(f"/-/assets/{assets.version()}/{path}").status_code in {400, 404}
    with pytest.raises(KeyError):
        assets.address(path)
