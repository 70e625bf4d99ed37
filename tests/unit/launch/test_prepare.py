"""What is seen to before a launch; with a server in tests/e2e."""

from __future__ import annotations

import pytest

from sweeper.errors import LaunchError
from sweeper.journal.directories import SweepDir
from sweeper.launch.prepare import _check_mode, _worker_environ
from sweeper.ref import SweepRef
from sweeper.settings import Backend

BACKEND = Backend(kind="wandb", base_url="https://wandb.example", api_key="k")


@pytest.mark.parametrize("mode", ["offline", "disabled", "dryrun"])
def test_a_mode_in_which_the_sdk_sends_nothing_is_refused(mode):
    """The sweep would wait for its first run for ever."""
    with pytest.raises(LaunchError, match=f"WANDB_MODE is {mode}: no run would reach https://wandb.example"):
        _check_mode({"WANDB_MODE": mode}, BACKEND)
    _check_mode({"WANDB_MODE": "online"}, BACKEND)


def test_runs_write_to_the_sweeps_folder_unless_the_user_has_another(tmp_path):
    """The folder is there before the SDK looks for it."""
    directory = SweepDir.of(tmp_path, SweepRef("e", "p", "s"))
    env = _worker_environ({"LANG": "C"}, directory)
    assert env == {"LANG": "C", "WANDB_QUIET": "true", "WANDB_DIR": str(directory.wandb)}
    assert directory.wandb.is_dir()
    theirs = {"WANDB_QUIET": "false", "WANDB_DIR": str(tmp_path / "theirs")}
    assert _worker_environ(theirs, directory) == theirs
    assert (tmp_path / "theirs").is_dir()
