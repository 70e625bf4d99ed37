"""Where a server can listen."""

from __future__ import annotations

import socket

import pytest

from sweeper.backend import listening, server_record
from sweeper.backend.server_record import ServerRecord
from sweeper.errors import ServerError


def test_a_server_comes_back_on_its_port(tmp_path):
    """Runs and links go on across a restart; a port that somebody took meanwhile is not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server_record.write(tmp_path, record := ServerRecord(1, f"http://127.0.0.1:{port}"))
        server_record.remove(tmp_path, record)
        assert listening.choose_port(tmp_path) not in {0, port}
        with pytest.raises(ServerError, match="taken"):
            listening.check_port("127.0.0.1", port)
    assert listening.choose_port(tmp_path) == port
    listening.check_port("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("x", False)],
)
def test_loopback_is_told_from_a_network(host, is_one):
    """By its address, or its one name."""
    assert listening.is_loopback(host) is is_one
