"""The one temporary folder of a command: its processes' TMPDIR, nobody else's, and gone in the end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper import temporary_folder

OWNER = """
import os, sys, time
from sweeper import temporary_folder
with temporary_folder.owned():
    print(os.environ["TMPDIR"], flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The temporary directory of the user: a short path, for the sake of sockets."""
    folder = Path(tempfile.mkdtemp(prefix="t"))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    shutil.rmtree(folder)


def long_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory below which no socket of wandb-core's fits."""
    folder = place / ("d" * 60)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def own() -> Path:
    return Path(os.environ["TMPDIR"])


def owner(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another command, and its folder."""
    environ = {**os.environ, "TMPDIR": str(place)}
    process = subprocess.Popen([sys.executable, "-c", OWNER], env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_where_the_user_wants_it_and_nobody_elses(place):
    """It lies in the user's TMPDIR, and only they can enter it."""
    with temporary_folder.owned():
        assert own().parent == place
        assert stat.S_IMODE(own().stat().st_mode) == 0o700
        assert Path(tempfile.gettempdir()) == own()


def test_it_goes_with_all_that_is_in_it_and_the_environment_is_as_before(place):
    """What the SDK leaves in it goes too; TMPDIR is put back."""
    with temporary_folder.owned():
        (own() / "wandb-media" / "deep").mkdir(parents=True)
        (own() / "wandb-media" / "deep" / "file").write_text("x")
    assert list(place.iterdir()) == []
    assert own() == place
    assert tempfile.tempdir is None


def test_without_a_tmpdir_there_is_none_afterwards(place, monkeypatch):
    """A user who has set none finds none set."""
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with temporary_folder.owned():
        assert own().parent == place
    assert "TMPDIR" not in os.environ
    assert tempfile.tempdir == str(place)


def test_an_error_inside_goes_through_and_leaves_nothing(place):
    """A command that fails removes its folder as well."""
    with pytest.raises(ValueError, match="why"), temporary_folder.owned():
        raise ValueError("why")
    assert list(place.iterdir()) == []


def test_where_none_can_be_made_everything_goes_on(place, monkeypatch):
    """On a full or read-only disk a command that needs no temporary file still works."""
    monkeypatch.setattr(tempfile, "mkdtemp", _refuse)
    with temporary_folder.owned():
        assert own() == place
    assert own() == place


def _refuse(**_options: object) -> str:
    raise OSError


def test_a_command_started_by_another_has_a_folder_beside_that_one(place):
    """A launch in the background and the server outlive the command that started them, and its folder."""
    with temporary_folder.owned():
        first = own()
        with temporary_folder.owned():
            assert own().parent == place
            assert own() != first
        assert own() == first
    os.environ["TMPDIR"] = str(first)  # which is gone by now
    assert temporary_folder.place() == place


def test_a_folder_that_is_only_called_like_one_is_the_users(place, monkeypatch):
    """`sweeper-` and more or less than eight characters is a name of somebody else's."""
    for name in ("sweeper-", "sweeper-abcdefgh9", "mysweeper-abcdefgh"):
        (place / name).mkdir()
        monkeypatch.setenv("TMPDIR", str(place / name))
        monkeypatch.setattr(tempfile, "tempdir", None)
        assert temporary_folder.place() == place / name


def test_a_name_in_a_place_that_is_gone_leads_to_the_systems(place, monkeypatch):
    """TMPDIR names a folder of ours in a directory that was deleted."""
    monkeypatch.setenv("TMPDIR", str(place / "gone" / "sweeper-abcdefgh"))
    monkeypatch.delenv("TEMP", raising=False)
    assert temporary_folder.place().is_dir()


def test_sockets_fit_below_it_however_long_the_place_is(place, monkeypatch):
    """The longest path that wandb-core listens at can be bound, and lies where the user wants it."""
    there = long_place(place, monkeypatch)
    with temporary_folder.owned():
        path = str(own()) + temporary_folder.SOCKET * "x"
        assert len(path) <= temporary_folder.LONGEST_SOCKET
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{own()}/socket")
        assert own().resolve().parent == there
        assert (own().resolve() / "socket").exists()
        short = own()
        assert temporary_folder.place() == there
    assert not short.is_symlink()
    assert list(there.iterdir()) == []


def test_the_limit_is_to_the_byte(place, monkeypatch):
    """One byte more, and it has a short name; at the limit it has its own."""
    room = temporary_folder.LONGEST_SOCKET - temporary_folder.SOCKET - len("/sweeper-abcdefgh") - len(f"{place}/")
    for length, short in ((room, False), (room + 1, True)):
        folder = place / ("d" * length)
        folder.mkdir()
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", None)
        with temporary_folder.owned():
            assert own().is_symlink() is short


def test_what_a_killed_command_left_is_removed_and_a_living_ones_stays(place):
    """The kernel lets go of the lock of one that was killed."""
    dead, left = owner(place)
    alive, kept = owner(place)
    dead.send_signal(signal.SIGKILL)
    dead.communicate()
    (left / "wandb-1-2-3").mkdir()
    temporary_folder.remove_left()
    assert [path.name for path in place.iterdir()] == [kept.name]
    alive.kill()
    alive.communicate()
    temporary_folder.remove_left()
    assert list(place.iterdir()) == []


def test_a_short_name_goes_when_its_folder_does(place, monkeypatch):
    """A link of a killed command is removed with what it led to, wherever that was."""
    dead, left = owner(long_place(place, monkeypatch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert left.is_symlink()
    temporary_folder.remove_left()
    assert left.exists()
    dead.kill()
    dead.communicate()
    temporary_folder.remove_left()
    temporary_folder.remove_left()  # whichever of the two was looked at first
    assert not left.is_symlink()


def test_a_folder_without_our_lock_stays_however_old(place):
    """A user's own `sweeper-homework`, and one that is just being made, lack what says that they are ours."""
    (mine := place / "sweeper-homework").mkdir()
    (mine / "thesis.txt").touch()
    os.utime(mine, (0, 0))
    (link := place / "sweeper-weekend1").symlink_to(place / "unmounted")
    temporary_folder.remove_left()
    assert (mine / "thesis.txt").exists()
    assert link.is_symlink()


def test_what_is_not_ours_stays(place, monkeypatch):
    """Another name, and a folder of another user's, are nobody's business."""
    for name in ("sweeper-tests", "wandb-media"):
        (place / name).mkdir()
        (place / name / temporary_folder.LOCK).touch()
    (theirs := place / "sweeper-cccccccc").mkdir()
    (theirs / temporary_folder.LOCK).touch()
    (link := place / "sweeper-dddddddd").symlink_to(place / "wandb-media")
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: theirs.stat().st_uid + 1)
        temporary_folder.remove_left()
    assert theirs.exists()
    temporary_folder.remove_left()
    assert sorted(path.name for path in place.iterdir()) == ["sweeper-dddddddd", "sweeper-tests", "wandb-media"]
    assert link.is_symlink()
