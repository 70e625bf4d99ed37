"""Netron, served by us: it has what it needs, reaches nothing outside, and asks nobody anything."""

from __future__ import annotations

import gzip

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sweeper.server.errors import NotFoundError
from sweeper.server.pages import netron


@pytest.fixture(scope="module")
def http():
    """What asks a server that has nothing else."""
    return TestClient(Starlette(routes=netron.ROUTES), headers={"Accept-Encoding": "identity"})


def test_its_page_asks_nobody_and_is_never_too_old(http):
    """It takes a version of 0.0.0 for one that counts no visits, and no date for today."""
    answer = http.get("/-/netron/index.html")
    assert answer.status_code == 200
    assert '<meta name="version" content="0.0.0">' in answer.text
    assert '<meta name="date" content="">' in answer.text
    assert "set-cookie" not in answer.headers
    assert "http-equiv" not in answer.text


def test_its_page_loads_what_it_needs_in_a_sandbox_before_its_scripts(http):
    """Without it, a look at a cookie would end it, and its worker; our colours come after its own."""
    text = http.get("/-/netron/index.html").text
    assert text.index('src="sweeper-frame.js"') < text.index('src="index.js"')
    assert text.index("</style>") < text.index('href="sweeper-frame.css"') < text.index("</head>")
    assert "Worker" in http.get("/-/netron/sweeper-frame.js").text
    assert "prefers-color-scheme: dark" in http.get("/-/netron/sweeper-frame.css").text


def test_its_policy_lets_it_load_from_us_alone(http):
    """Scripts and data come from this server, and only pages of ours may show it."""
    policy = http.get("/-/netron/index.html").headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["frame-ancestors"] == "'self'"


def test_it_has_no_origin_wherever_it_is_opened(http):
    """The policy of its page says so, also in a window; its modules are read all the same."""
    answer = http.get("/-/netron/index.html")
    allowed = answer.headers["content-security-policy"].split("; sandbox ")[1]
    assert allowed == "allow-scripts allow-downloads"
    for file in ("view.js", "worker.js", "onnx-metadata.json"):
        headers = http.get(f"/-/netron/{file}").headers
        assert (headers["access-control-allow-origin"], headers["cross-origin-resource-policy"]) == (
            "null",
            "cross-origin",
        )


@pytest.mark.parametrize("name", ["index.js", "onnx.js", "grapher.css", "onnx-metadata.json", "icon.png"])
def test_its_files_come_with_their_types(http, name):
    """As a browser that guesses nothing takes them; text is packed for one that takes that."""
    plain = http.get(f"/-/netron/{name}")
    assert plain.status_code == 200
    assert plain.headers["x-content-type-options"] == "nosniff"
    packed = http.get(f"/-/netron/{name}", headers={"Accept-Encoding": "gzip"})
    assert packed.content == plain.content
    assert ("content-encoding" in packed.headers) == (not name.endswith(".png"))


@pytest.mark.parametrize("path", ["server.py", "__init__.py", "../wandb/__init__.py", "a/b.js", "nope.js", "", "."])
def test_nothing_else_is_sent(path):
    """Neither the package's Python nor what lies beside it."""
    with pytest.raises(NotFoundError):
        netron._send(path, "")


def test_a_page_that_was_packed_is_the_one_that_asks_nobody():
    """Whatever a browser takes."""
    text = gzip.decompress(netron._send("index.html", "gzip").body).decode()
    assert 'content="0.0.0"' in text


def test_without_its_package_the_server_says_what_is_missing(monkeypatch):
    """Instead of a page that is empty."""
    monkeypatch.setattr(netron, "folder", lambda: None)
    with pytest.raises(NotFoundError, match="pip install netron"):
        netron._send("index.html", "")
