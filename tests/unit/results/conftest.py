"""A server that is none of sweeper's, as far as anybody can tell: the shared one, which denies it."""

from __future__ import annotations

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.conftest import open_direct


class _Front(http.server.BaseHTTPRequestHandler):
    """Passes on all but the question whether it is sweeper's."""

    def do_GET(self):
        """Answer as the server behind does."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/healthz":
            return self._say(404, {}, b"")
        url = self.server.behind + self.path
        request = urllib.request.Request(url, body or None, method=self.command)  # noqa: S310 our own server
        for name, value in self.headers.items():
            if name.lower() not in {"host", "content-length", "accept-encoding", "connection"}:
                request.add_header(name, value)
        try:
            with open_direct(request) as answer:
                return self._say(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return self._say(error.code, dict(error.headers), error.read())

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 the names are the library's

    def _say(self, status, headers, body):
        self.send_response(status)
        for name in ("Content-Type", "ETag"):
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        """Keep quiet."""


@pytest.fixture
def foreign(embedded) -> Iterator[str]:
    """The address of a W&B server that knows nothing beyond W&B's format."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Front) as server:
        server.behind = embedded.url
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
