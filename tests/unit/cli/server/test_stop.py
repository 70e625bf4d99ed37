"""`sweeper server stop`."""

from __future__ import annotations

import subprocess
import sys

from sweeper.backend import embedded_server
from tests.conftest import clean_environ


def test_a_server_is_stopped(sweeper, home):
    """Its process has ended when the command has; nothing is said to run there any more."""
    command = [sys.executable, "-m", "sweeper", "serve", "--data", str(home / "server")]
    with subprocess.Popen(command, env=clean_environ(home), stderr=subprocess.PIPE, text=True) as process:
        while embedded_server.find(home) is None:
            assert process.poll() is None, process.stderr.read()
        stopped = sweeper("server", "stop").stdout
        assert process.wait(timeout=5) == 0
    assert stopped.startswith("stopped the server on http://127.0.0.1:")
    assert f"(pid {process.pid})" in stopped
    assert not (home / "server" / "server.json").exists()
    assert sweeper("server", "status").exit_code == 1


def test_there_may_be_nothing_to_stop(sweeper):
    """That is what was asked for: no error."""
    done = sweeper("server", "stop")
    assert (done.exit_code, done.stdout) == (0, "no server was running\n")
