"""What a machine refuses, told in words: never a fault of sweeper, always with a place and a way out."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from sweeper.errors import SweeperError
from sweeper.machine_errors import in_words, refusal


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "make space"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.ENOTDIR, "SWEEPER_HOME"),
        (errno.EACCES, "SWEEPER_HOME"),
        (errno.EIO, "dmesg"),
    ],
)
def test_a_refusal_has_its_place_and_a_way_out(number, fix):
    """What cannot be used, what the system says, what to do."""
    told = refusal(OSError(number, os.strerror(number), "/some/where"))
    assert told.message.startswith("cannot use /some/where: ")
    assert os.strerror(number) in told.message
    assert fix in told.hint


def test_a_refusal_names_both_places_and_bytes_of_names():
    """A rename has two; a name that is no text is shown all the same."""
    assert "/a and /b" in refusal(OSError(errno.EXDEV, "x", "/a", None, "/b")).message
    assert "/a" in refusal(OSError(errno.ENOENT, "x", b"/a")).message
    assert refusal(OSError(errno.EMFILE, "Too many open files")).message == "this machine refuses: Too many open files"
    assert refusal(OSError("the lease is over")).message == "this machine refuses: the lease is over"


@pytest.fixture
def nobody():
    """Be somebody who owns nothing."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_who_owns_what_may_not_be_used_is_said(tmp_path, nobody):
    """The first thing on the way that this user may not use, its owner and its mode."""
    assert nobody is None
    told = refusal(PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "x")))
    assert " belongs to root (mode 7" in told.message
    assert told.message.endswith("and you are nobody")


def test_a_current_directory_that_is_gone_is_named(tmp_path, monkeypatch):
    """The system says only that something is not there."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError) as caught:
        Path.cwd()
    assert refusal(caught.value).message == "the current directory was deleted"


def broken_database(path: Path) -> sqlite3.Error:
    path.write_text("no database, but long enough to be taken for one by whoever opens it")
    with pytest.raises(sqlite3.DatabaseError) as caught, sqlite3.connect(path) as db:
        db.execute("SELECT * FROM runs")
    return caught.value


def test_a_damaged_database_is_told_with_its_remedy(tmp_path):
    """Whatever module met it."""
    told = in_words(broken_database(tmp_path / "sweeper.db"))
    assert told is not None
    assert "not a database" in told.message
    assert "sweeper server restore" in told.hint


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "some text"),
        (MemoryError(), "no memory left"),
        (subprocess.TimeoutExpired(["wandb", "sweep"], 120), "did not end within 120 s: wandb sweep"),
        (subprocess.TimeoutExpired("wandb", 1.5), "did not end within 1.5 s: wandb"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "torch cannot be imported"),
        (SweeperError("as it is"), "as it is"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "Connection reset"),
    ],
)
def test_what_a_machine_can_be_is_told_in_words(error, said):
    """Encodings, memory, slow commands, missing packages, broken connections."""
    told = in_words(error)
    assert told is not None
    assert said in told.message


@pytest.mark.parametrize("error", [KeyError("x"), AssertionError(), ImportError("no", name="sweeper.nonsense")])
def test_what_only_we_can_have_done_stays_a_fault_of_ours(error):
    """No words hide a bug."""
    assert in_words(error) is None


def wrapped(cause: BaseException) -> Exception:
    """An error of the server's store: its words are for the client that had sent a request."""
    error = RuntimeError("nothing of this request was stored")
    error.__cause__ = cause
    return error


def test_a_refusal_that_was_meant_for_a_client_is_told_as_the_machines(tmp_path):
    """A server that cannot start on a failing disk is not at fault itself."""
    failing = in_words(wrapped(OSError(errno.EIO, "Input/output error")))
    assert failing is not None
    assert (failing.message, "dmesg" in failing.hint) == ("this machine refuses: Input/output error", True)
    damaged = in_words(wrapped(wrapped(broken_database(tmp_path / "sweeper.db"))))
    assert damaged is not None
    assert "not a database" in damaged.message
    assert in_words(wrapped(KeyError("x"))) is None
