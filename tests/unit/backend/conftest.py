"""A server that answers as a test says, and an environment that a test may change."""

from __future__ import annotations

import http.server
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from sweeper.backend import embedded_server
from sweeper.backend.server_record import ServerRecord
from sweeper.settings import Backend, Settings


class Handler(http.server.BaseHTTPRequestHandler):
    """Notes each request, and answers as the test says."""

    def do_GET(self):
        """Answer."""
        self.server.seen.append((self.command, self.path, self.headers["Authorization"]))
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        """Answer."""
        self.do_GET()

    def log_message(self, *_args):
        """Keep quiet."""


@contextmanager
def _serving(context: ssl.SSLContext | None = None) -> Iterator[http.server.HTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.answer, server.url = [], (200, {}, b'{"a": 1}'), f"http://127.0.0.1:{server.server_port}"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def serving() -> Callable[..., AbstractContextManager[http.server.HTTPServer]]:
    """What makes a server on a port of its own: `answer` is what it says, `seen` what it was asked."""
    return _serving


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    """One such server."""
    with _serving() as server:
        yield server


@pytest.fixture
def environ() -> Iterator[None]:
    """The process's environment, put back whole: `connect` writes it anew."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def settings(embedded) -> Settings:
    """The environment of a user of the shared server."""
    return Settings.from_env({**os.environ, "SWEEPER_HOME": str(embedded.home)})


@pytest.fixture
def backend(embedded) -> Backend:
    """The shared server."""
    return embedded_server.backend(embedded.home, ServerRecord(embedded.pid, embedded.url))
