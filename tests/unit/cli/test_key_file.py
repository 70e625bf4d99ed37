"""A file that holds an API key."""

from __future__ import annotations

import os

import pytest

from sweeper.cli.key_file import read_key
from sweeper.errors import BackendError

KEY = "local-" + "0a" * 20


def test_a_key_stands_in_its_file_alone(tmp_path):
    """Line ends around it are none of it."""
    (tmp_path / "key").write_text(f"\n{KEY}\r\n")
    assert read_key(tmp_path / "key") == KEY


@pytest.mark.parametrize("content", [b"", b"short", b"key: " + KEY.encode(), b"\xff" * 40])
def test_another_file_is_no_key(tmp_path, content):
    """It is told what to give, and nothing of what stands there."""
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(BackendError) as raised:
        read_key(tmp_path / "key")
    assert raised.value.hint == "give a file that holds the key alone"
    assert KEY not in raised.value.message


def test_a_missing_file_is_named(tmp_path):
    """So that a mistyped path is seen."""
    with pytest.raises(BackendError, match="nowhere"):
        read_key(tmp_path / "nowhere")


def test_a_file_of_somebody_else_says_who_must_be_let_in(tmp_path):
    """In a container the user is a number that its own machine has no name for."""
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o000)
    tmp_path.chmod(0o755)
    if os.geteuid():
        with pytest.raises(BackendError) as raised:
            read_key(file)
    else:
        os.seteuid(10001)  # root reads everything
        try:
            with pytest.raises(BackendError) as raised:
                read_key(file)
        finally:
            os.seteuid(0)
    assert "Permission denied" in raised.value.message
    assert "fsGroup" in raised.value.hint
