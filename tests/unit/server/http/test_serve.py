"""The server as a process: where it listens, under which names, how it ends, and whom it does not wait for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sweeper.server.http.serve import MAX_HEADERS, Address


def test_an_address_has_the_names_of_this_machine():
    """Clients may say localhost, the address, the machine's name, and whatever --allow-host adds."""
    hosts = Address(host="10.0.0.5", port=1, names=["sweeps.example"]).hosts
    assert hosts >= {"localhost", "127.0.0.1", "10.0.0.5", "sweeps.example", socket.gethostname()}


@pytest.fixture
def start(tmp_path):
    """Start a server in a process of its own; give it, and its port, once it listens."""
    started = []

    def run(prelude=""):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        code = f"""
from pathlib import Path
from sweeper.server.http import serve as served
{prelude}
served.serve(served.Address(host="127.0.0.1", port={port}), Path("data"))
"""
        environ = {"PATH": os.defpath, "PYTHONPATH": str(Path(__file__).parents[4])}
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        wait_for(port)
        return process, port

    yield run
    for process in started:
        process.kill()
        process.communicate()


def wait_for(port, limit_s=60):
    """Wait until something listens."""
    end = time.monotonic() + limit_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            assert time.monotonic() < end, f"nothing listens on port {port}"
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_ends_quietly_on_a_signal(start, number):
    """SIGTERM and SIGINT end the server with exit code 0, soon, and without a traceback."""
    process, _ = start()
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_headers_that_do_not_end_are_given_up(start):
    """A client that sends a request's headers byte by byte, or without an end, loses its connection; others go on."""
    _, port = start("served.HEADERS_WITHIN_S = 0.5")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        assert slow.recv(1) == b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as long:
        long.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ")
        assert is_closed(long, b"a" * (MAX_HEADERS + 2**16))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as good:
        good.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert good.recv(2**12).startswith(b"HTTP/1.1 200")


def is_closed(connection, text):
    """Send on; say whether the other side has hung up."""
    try:
        connection.sendall(text)
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_what_it_writes_is_its_users_alone_and_a_long_body_comes_through(start, tmp_path):
    """Whatever the umask; a body may be longer than the headers of a request ever are."""
    _, port = start("import os; os.umask(0)")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sender:
        body = b"x" * (8 * MAX_HEADERS)
        head = f"POST /sdk/otel/v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        sender.sendall(head.encode() + body)
        assert sender.recv(2**12).startswith(b"HTTP/1.1 200")
    found = list((tmp_path / "data").rglob("*"))
    assert len(found) > 3
    assert [place for place in found if place.stat().st_mode & 0o077] == []
