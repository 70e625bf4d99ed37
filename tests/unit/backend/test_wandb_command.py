"""The SDK's own commands, in a folder where others have put files."""

from __future__ import annotations

from sweeper.backend import wandb_command
from tests.conftest import clean_environ


def test_nothing_of_the_users_folder_is_imported_or_followed(tmp_path, monkeypatch):
    """Modules in wait, and settings of a project that is none: the command sees a folder of its own."""
    (tmp_path / "click.py").write_text("import pathlib; pathlib.Path(__file__).with_name('ran').touch()")
    monkeypatch.chdir(tmp_path)
    done = wandb_command.run("status", environ=clean_environ(tmp_path), timeout_s=100)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
    assert str(tmp_path) not in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) in (["click.py"], [".cache", "click.py"])
