"""`sweeper server status`, `url`, `stop`, `backup`, `restore` and `check` where no server runs."""

from __future__ import annotations

import json

from sweeper.errors import ServerError, SweeperError


def test_no_server_is_no_success(sweeper):
    """`status` says so and exits with 1; there is nothing to stop, and nobody to give an address."""
    status = sweeper("server", "status")
    assert (status.exit_code, status.stdout) == (1, "no server is running; `sweeper create` starts one\n")
    assert sweeper("server", "stop").stdout == "no server was running\n"
    assert isinstance(sweeper("server", "url").exception, ServerError)


def test_a_backup_is_restored_and_checked(sweeper, tmp_path):
    """What `backup` wrote is a data directory again; each says the next command."""
    data, file, other = tmp_path / "data", tmp_path / "all.tar.gz", tmp_path / "other"
    sweeper("server", "add-user", "alice", "--data", data)
    written = sweeper("server", "backup", file, "--data", data)
    assert written.exit_code == 0, written.exception
    assert "next: sweeper server restore" in written.stdout
    restored = sweeper("server", "restore", file, "--data", other)
    assert restored.exit_code == 0, restored.exception
    assert f"next: sweeper serve --data {other}" in "".join(restored.stdout.splitlines(keepends=True))
    found = json.loads(sweeper("server", "check", "--json", "--data", other).stdout)
    assert {finding["verdict"] for finding in found} <= {"ok", "warn"}
    assert "alice" in sweeper("server", "users", "--data", other).stdout


def test_nothing_is_written_over(sweeper, tmp_path):
    """Neither a backup nor the data of a server, without --force; with it, `restore` says where that went."""
    data, file = tmp_path / "data", tmp_path / "all.tar.gz"
    sweeper("server", "add-user", "alice", "--data", data)
    sweeper("server", "backup", file, "--data", data)
    for again in (("backup", file), ("restore", file)):
        assert isinstance(sweeper("server", *again, "--data", data).exception, SweeperError)
    forced = sweeper("server", "restore", file, "--force", "--data", data)
    assert "before" in forced.stdout
