"""The proxy passes everything on in fair weather, and does in foul weather what it is told."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.chaos.proxy import HISTORY, Proxy


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, and counts."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def answer(self) -> None:
        """Answer as any server does."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        type(self).asked.append(self.path)
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    do_GET = do_POST = do_HEAD = answer  # noqa: N815 the names that http.server calls

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def echo():
    """A server."""
    handler = type("Handler", (Echo,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy(echo):
    """A proxy before it."""
    proxy = Proxy(echo.server_port)
    yield proxy
    proxy.close()


def ask(proxy, method="POST", path="/", body=b"hello", **headers):
    """Send a request; give the code and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def broken(proxy, **options):
    """See that no whole answer comes."""
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(proxy, **options)


def test_fair_weather_changes_nothing(proxy):
    """Bodies with a length, in chunks, or none at all, and several requests on one connection."""
    assert ask(proxy) == (200, b"hello")
    assert ask(proxy, body=iter([b"he", b"llo"])) == (200, b"hello")
    assert ask(proxy, "GET", "/chunked", None) == (200, b"abc")
    assert ask(proxy, "HEAD", "/", None) == (200, b"")
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    for text in (b"one", b"two"):
        connection.request("POST", "/", text)
        assert connection.getresponse().read() == text
    connection.close()
    assert not proxy.done


@pytest.mark.parametrize(("trick", "asked"), [("refuse", 0), ("reset", 1), ("lose answer", 1), ("half answer", 1)])
def test_no_whole_answer(proxy, echo, trick, asked):
    """Whether the server has done it, nobody is told."""
    proxy.weather.chances = {trick: 1.0}
    broken(proxy)
    assert len(echo.RequestHandlerClass.asked) == asked
    assert proxy.done == {trick: 1}


@pytest.mark.parametrize(("trick", "asked"), [("bad gateway", 0), ("lie", 1)])
def test_an_answer_that_is_not_the_servers(proxy, echo, trick, asked):
    """A gateway that gave up says so, be it done or not."""
    proxy.weather.chances = {trick: 1.0}
    status, body = ask(proxy)
    assert status in {429, 500, 502, 503, 504}
    assert body == b"<h1>no</h1>"
    assert len(echo.RequestHandlerClass.asked) == asked


@pytest.mark.parametrize(("trick", "asked"), [("duplicate", 2), ("delay", 1), ("late answer", 1)])
def test_a_whole_answer_all_the_same(proxy, echo, trick, asked):
    """Sent twice or late, a request is answered."""
    proxy.weather.chances, proxy.weather.delay_s = {trick: 1.0}, 0.01
    assert ask(proxy) == (200, b"hello")
    assert len(echo.RequestHandlerClass.asked) == asked


def test_a_server_that_is_away_is_no_answer(proxy, echo):
    """As a connection that is refused."""
    echo.shutdown()
    echo.server_close()
    broken(proxy)


def test_it_notes_what_was_acknowledged(proxy):
    """Rows by run and offset, packed or not; other requests, and answers that were none, are no rows."""
    body = json.dumps({"files": {HISTORY: {"offset": 2, "content": ["a", "b"]}}}).encode()
    ask(proxy, path="/files/e/p/r/file_stream", body=body)
    ask(proxy, path="/files/e/p/s/file_stream", body=gzip.compress(body), **{"Content-Encoding": "gzip"})
    ask(proxy, path="/files/e/p/t/else", body=body)
    proxy.weather.chances = {"bad gateway": 1.0}
    ask(proxy, path="/files/e/p/u/file_stream", body=body)
    rows = {2: "a", 3: "b"}
    assert proxy.acknowledged == {"r": rows, "s": rows}


def test_what_the_server_did_counts_whatever_was_answered(proxy):
    """It said yes, though its answer was lost on the way."""
    body = json.dumps({"files": {HISTORY: {"offset": 0, "content": ["a"]}}}).encode()
    proxy.weather.chances = {"lose answer": 1.0}
    broken(proxy, path="/files/e/p/r/file_stream", body=body)
    assert proxy.acknowledged == {"r": {0: "a"}}
