"""Files and folders for one user alone."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest

from sweeper import private_files
from sweeper.errors import SweeperError


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o077])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_its_users_alone(tmp_path):
    """Whatever the umask, with all that is missing above it; what is there stays as it is."""
    made = tmp_path / "a" / "b" / "c"
    (tmp_path / "there").mkdir(mode=0o755)
    before = mode(tmp_path / "there")
    private_files.make_folder(made)
    private_files.make_folder(made)
    private_files.make_folder(tmp_path / "there")
    with private_files.open_file(made / "file", "ab") as file:
        file.write(b"x")
    assert [mode(path) for path in (tmp_path / "a", tmp_path / "a" / "b", made)] == [0o700] * 3
    assert mode(made / "file") == 0o600
    assert mode(tmp_path / "there") == before


@pytest.mark.usefixtures("umask")
def test_a_file_is_replaced_whole_or_stays(tmp_path):
    """What cannot be written leaves the old content; nothing lies beside it afterwards."""
    file = tmp_path / "file.json"
    private_files.replace(file, "old")
    with pytest.raises(UnicodeEncodeError):
        private_files.replace(file, "half\ud800")
    assert file.read_text() == "old"
    private_files.replace(file, "new")
    assert (file.read_text(), mode(file)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_two_may_make_one_folder_at_once(tmp_path):
    """Another process makes it between the look and the making."""

    class Late(type(tmp_path)):
        """A folder that was not there when somebody looked first."""

        answers: ClassVar = [False, True]

        def is_dir(self) -> bool:
            return self.answers.pop(0)

    (tmp_path / "made").mkdir(mode=0o700)
    private_files.make_folder(Late(tmp_path / "made"))
    assert mode(tmp_path / "made") == 0o700


def test_a_file_is_text_in_utf8_unless_bytes_are_asked_for(tmp_path):
    """Whatever the locale; one that is there is written over, and keeps its mode."""
    file = tmp_path / "file"
    file.touch(mode=0o644)
    with private_files.open_file(file) as opened:
        opened.write("größer")
        assert opened.encoding == "utf-8"
    with private_files.open_file(file, "ab") as opened:
        opened.write(b"!")
    assert file.read_bytes() == "größer!".encode()
    assert mode(file) == 0o644


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o722, 0o720, 0o702])
def test_a_home_that_others_can_write_to_is_refused(tmp_path, mode):
    """They could put a server's record there, or a sweep; the error says how it becomes one's own."""
    tmp_path.chmod(mode)
    with pytest.raises(SweeperError, match="other users can write into") as caught:
        private_files.check_home(tmp_path)
    assert f"chmod go-w {tmp_path}" in caught.value.hint
    assert "SWEEPER_HOME" in caught.value.hint
    for fine in (0o755, 0o700, 0o500, 0o1755):
        tmp_path.chmod(fine)
        private_files.check_home(tmp_path)
    private_files.check_home(tmp_path / "not there yet")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_home_of_somebody_else_is_refused(tmp_path):
    """Its owner can put anything there, also by a link that leads to it."""
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 4711, 4711)
    (tmp_path / "link").symlink_to(tmp_path / "home")
    for home in (tmp_path / "home", tmp_path / "link"):
        with pytest.raises(SweeperError, match="belongs to another user"):
            private_files.check_home(home)
