"""`sweeper server status`."""

from __future__ import annotations


def test_a_server_that_runs_is_described(here, embedded):
    """Its address and process, and where its data and its key lie."""
    done = here("server", "status")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:3] == [
        f"server  {embedded.url} (pid {embedded.pid})",
        f"data    {embedded.home / 'server'}",
        f"key     {embedded.home / 'server' / 'api-key'}",
    ]


def test_no_server_is_no_success(sweeper):
    """A script can ask whether one runs."""
    status = sweeper("server", "status")
    assert (status.exit_code, status.stdout) == (1, "no server is running; `sweeper create` starts one\n")


def test_a_server_is_looked_for_in_its_data_directory(here, sweeper, embedded, tmp_path):
    """As a container's health check does, which knows no more of it."""
    done = sweeper("server", "status", "--data", embedded.home / "server")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, f"server  {embedded.url} (pid {embedded.pid})")
    assert here("server", "status", "--data", tmp_path / "other").exit_code == 1
