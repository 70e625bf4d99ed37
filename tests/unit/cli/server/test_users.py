"""`sweeper server add-user` and its like, on a real database."""

from __future__ import annotations

import pytest

from sweeper.errors import SweeperError, UsageError

KEY = "k" * 40


def test_a_user_gets_a_key_that_is_printed_alone(sweeper, tmp_path):
    """A script can take it as it is; the list tells who has how many."""
    made = sweeper("server", "add-user", "alice", "--data", tmp_path / "data")
    assert (made.exit_code, len(made.stdout.strip()) >= 40) == (0, True)
    given = sweeper("server", "add-user", "alice", "--key", "-", "--data", tmp_path / "data", text=f"{KEY}\n")
    assert given.stdout.strip() == KEY
    listed = sweeper("server", "users", "--data", tmp_path / "data").stdout
    assert "alice  2 keys, 0 sessions" in listed


def test_a_new_key_takes_the_old_ones_away(sweeper, tmp_path):
    """And a user who is removed is not listed any more."""
    old = sweeper("server", "add-user", "bob", "--data", tmp_path / "data").stdout
    new = sweeper("server", "rotate-key", "bob", "--data", tmp_path / "data").stdout
    assert new.strip() not in {"", old.strip()}
    assert "bob  1 key, 0 sessions" in sweeper("server", "users", "--data", tmp_path / "data").stdout
    assert sweeper("server", "remove-user", "bob", "--data", tmp_path / "data").stdout == "removed bob\n"
    assert "bob" not in sweeper("server", "users", "--data", tmp_path / "data").stdout


def test_a_key_is_no_argument(sweeper, tmp_path):
    """Everybody on the machine can read the command lines of others."""
    error = sweeper("server", "add-user", "eve", "--key", KEY, "--data", tmp_path / "data").exception
    assert isinstance(error, UsageError)
    assert "--key -" in error.hint
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [["users"], ["rotate-key", "ann"], ["remove-user", "ann"], ["add-user", "ann"]])
def test_a_folder_of_other_things_is_left_as_it_is(sweeper, tmp_path, command):
    """Neither closed to others nor given a database; a listing makes no folder either."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").touch()
    folder.chmod(0o755)
    done = sweeper("server", *command, "--data", folder)
    assert isinstance(done.exception, SweeperError)
    assert str(folder) in done.exception.message
    assert folder.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in folder.iterdir()] == ["a.jpg"]
    if command[0] == "users":
        assert isinstance(sweeper("server", *command, "--data", tmp_path / "none").exception, SweeperError)
        assert not (tmp_path / "none").exists()
