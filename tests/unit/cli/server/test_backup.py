"""`sweeper server backup`, whose file `restore` reads and `check` finds whole: see there."""

from __future__ import annotations

import tarfile

from sweeper.errors import SweeperError


def test_a_server_is_backed_up_while_it_runs(here, embedded, tmp_path):
    """What it has just stored is in the file; the command that reads it comes next."""
    embedded.sweep(0)
    file = tmp_path / "all.tar.gz"
    done = here("server", "backup", file)
    assert done.exit_code == 0, done.exception
    said = done.stdout.splitlines()
    assert said[0].startswith(f"backup  {file}: the database and ")
    assert said[-1] == f"next: sweeper server restore {file} --data DIR"
    with tarfile.open(file) as backup:
        assert "sweeper.db" in {name.rpartition("/")[2] for name in backup.getnames()}


def test_a_backup_is_not_written_over(sweeper, tmp_path):
    """Not without --force: it may be the only one."""
    data, file = tmp_path / "data", tmp_path / "all.tar.gz"
    sweeper("server", "add-user", "alice", "--data", data)
    file.write_text("last week's")
    assert isinstance(sweeper("server", "backup", file, "--data", data).exception, SweeperError)
    assert file.read_text() == "last week's"
    assert sweeper("server", "backup", file, "--force", "--data", data).exit_code == 0
    assert tarfile.is_tarfile(file)
