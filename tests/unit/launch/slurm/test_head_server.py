"""The server in the head's job: where the other nodes reach it. tests/slurm runs one."""

from __future__ import annotations

import pytest

from sweeper.backend import listening
from sweeper.errors import ServerError
from sweeper.launch.slurm.head_server import HeadServer, reachable_address


def test_an_address_that_slurm_says_is_taken():
    """Also loopback's, where all nodes are one machine."""
    assert reachable_address("127.0.0.1") == "127.0.0.1"
    assert reachable_address("192.0.2.7") == "192.0.2.7"


def test_a_name_of_this_machine_alone_is_not():
    """Debian's hosts file has it at 127.0.1.1, where no other node would find it."""
    try:
        found = reachable_address("localhost")
    except OSError:
        pytest.skip("no network but loopback")
    assert not listening.is_loopback(found)


def test_a_server_that_does_not_start_says_why(tmp_path):
    """And leaves nothing on the node's disk."""
    log = tmp_path / "server.log"
    environ = {"PATH": "/bin", "SLURM_TMPDIR": str(tmp_path / "disk")}
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").write_text("a file")
    server = HeadServer(tmp_path / "data", "127.0.0.1", snapshot_every_s=30, environ=environ, log=log)
    with pytest.raises(ServerError, match="did not start"):
        server.start()
    assert list((tmp_path / "disk").iterdir()) == []
