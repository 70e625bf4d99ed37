"""`sweeper server check`."""

from __future__ import annotations

import contextlib
import json
import sqlite3


def test_a_server_is_checked_while_it_runs(here, embedded):
    """Every finding is well, or a warning: exit code 0."""
    embedded.sweep(0)
    done = here("server", "check", "--json")
    assert done.exit_code == 0, done.exception
    assert {finding["verdict"] for finding in json.loads(done.stdout)} <= {"ok", "warn"}


def test_data_that_is_not_whole_is_no_success(sweeper, tmp_path):
    """A script can rely on the exit code; what to do stands beside what was found."""
    sweeper("server", "add-user", "alice", "--data", tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "sweeper.db")) as db:
        db.execute("INSERT INTO migrations VALUES (9999, 'x')")
        db.commit()
    done = sweeper("server", "check", "--json", "--data", tmp_path)
    failed = [finding for finding in json.loads(done.stdout) if finding["verdict"] == "fail"]
    assert done.exit_code == 1
    assert failed
    assert all(finding["fix"] for finding in failed)
