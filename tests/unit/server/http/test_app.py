"""The server as a whole: it survives its own restart."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

SWEEP = {
    "method": "grid",
    "name": "first <b>sweep</b>",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}},
}


def test_restart_loses_nothing(running_server):
    """Agents, pending and running runs, keys and signed addresses are the same after a restart."""
    with running_server() as client:
        key = client.http.headers["Authorization"]
        sweep = client.sweep(SWEEP)
        first, second = client.agent(sweep), client.agent(sweep)
        (running,) = client.beat(first)
        client.init(running["run_id"])
        client.log(running["run_id"], {"_step": 0, "loss": 1.0})
        (pending,) = client.beat(second)
        address = client.upload_url(running["run_id"], "a.txt")
    with running_server() as client:
        assert client.http.headers["Authorization"] == key
        assert client.beat(second) == [pending]
        assert client.beat(first, running["run_id"]) == []
        assert client.http.put(address, content=b"x", headers={"Authorization": ""}).status_code == 200
        assert client.run(running["run_id"], "state historyLineCount") == {"state": "running", "historyLineCount": 1}


@pytest.fixture
def running_server(serve, tmp_path):
    """Start a server over one data directory, as often as wanted."""

    @contextmanager
    def start():
        yield from serve(tmp_path / "data")

    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_ends_quietly_on_a_signal(tmp_path, number):
    """SIGTERM and SIGINT end the server with exit code 0, soon, and without a traceback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"""
from pathlib import Path
from sweeper.server.http.serve import Address, serve
serve(Address(host="127.0.0.1", port={port}), Path("data"))
"""
    environ = {"PATH": os.defpath, "PYTHONPATH": str(Path(__file__).parents[4])}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(port)
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


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
