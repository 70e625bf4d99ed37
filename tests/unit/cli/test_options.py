"""Options that several commands share."""

from __future__ import annotations

import pytest

from sweeper.cli.options import data_directory


@pytest.mark.parametrize("given", [True, False])
def test_the_data_directory_is_the_one_that_is_named(sweeper, home, tmp_path, given):
    """Or, without `--data`, the one under SWEEPER_HOME."""
    sweeper("server", "add-user", "alice", *(["--data", tmp_path / "data"] if given else []))
    assert (home / "server").exists() is not given
    assert (tmp_path / "data").exists() is given


def test_a_data_directory_means_the_same_wherever_the_server_stands(tmp_path, monkeypatch):
    """A relative one is filled up: a record of it is read from another folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    assert data_directory((tmp_path / "data").relative_to(tmp_path)) == tmp_path / "data"


def test_a_word_that_is_no_server_is_a_usage_error(sweeper):
    """`--backend` knows three; every command that has it refuses the rest in the same words."""
    for command in ("status", "pause", "export"):
        done = sweeper(command, "--backend", "cloud")
        assert done.exit_code == 2
        assert all(f"'{choice}'" in done.stderr for choice in ("cloud", "auto", "local", "wandb"))
