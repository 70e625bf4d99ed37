"""A file with a key."""

from __future__ import annotations

import io

import pytest

from sweeper.cli.key_file import read_key
from sweeper.errors import BackendError

KEY = "local-" + "k" * 40


def test_a_key_is_read_from_a_file_or_from_what_is_piped_in(tmp_path, monkeypatch):
    """What stands around it does not belong to it."""
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    assert read_key(file) == KEY
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\nmore"))
    assert read_key(type(file)("-")) == KEY


@pytest.mark.parametrize("text", ["", "short", "two words of a file that is no key"])
def test_a_file_without_a_key_is_refused(tmp_path, text):
    """Before any server is asked with it."""
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(BackendError, match="holds no key"):
        read_key(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """With what to give instead."""
    with pytest.raises(BackendError, match=r"cannot read a key from .*nowhere") as caught:
        read_key(tmp_path / "nowhere")
    assert "a file that holds the key alone" in caught.value.hint
