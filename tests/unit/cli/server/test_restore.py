"""`sweeper server restore`."""

from __future__ import annotations

import pytest

from sweeper.errors import ServerError, SweeperError


@pytest.fixture
def backup(sweeper, tmp_path):
    """The backup of a server that has the user alice."""
    file = tmp_path / "all.tar.gz"
    sweeper("server", "add-user", "alice", "--data", tmp_path / "data")
    assert sweeper("server", "backup", file, "--data", tmp_path / "data").exit_code == 0
    return file


def test_a_backup_is_a_data_directory_again(sweeper, backup, tmp_path):
    """Its users are there, and the next command serves it."""
    other = tmp_path / "other"
    restored = sweeper("server", "restore", backup, "--data", other)
    assert restored.exit_code == 0, restored.exception
    assert restored.stdout.splitlines() == [f"restored  {other}", f"next: sweeper serve --data {other}"]
    assert "alice" in sweeper("server", "users", "--data", other).stdout


def test_the_data_of_a_server_is_put_aside_only_when_that_is_asked_for(sweeper, backup, tmp_path):
    """Without --force it stays; with it, `restore` says where it went."""
    data = tmp_path / "data"
    sweeper("server", "add-user", "bob", "--data", data)
    assert isinstance(sweeper("server", "restore", backup, "--data", data).exception, SweeperError)
    assert "bob" in sweeper("server", "users", "--data", data).stdout
    forced = sweeper("server", "restore", backup, "--force", "--data", data)
    assert "before" in forced.stdout
    assert "bob" not in sweeper("server", "users", "--data", data).stdout


def test_a_server_that_runs_is_not_replaced_beneath_it(here, embedded, backup):
    """Not with --force either: it would go on writing into what was put aside."""
    error = here("server", "restore", backup, "--force").exception
    assert isinstance(error, ServerError)
    assert f"{embedded.url} (pid {embedded.pid})" in error.message
