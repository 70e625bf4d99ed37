"""What is left behind is found, whatever it is, and so are words that nobody should read."""

from __future__ import annotations

import fcntl
import os
import socket
import sys

import pytest

from tests.chaos import reading
from tests.chaos.reading import SHARED, complaints, leftovers, shared_memory


@pytest.fixture
def left(user, scratch, monkeypatch):
    """Look what is left of a user who started nothing but what the test started; there is no server at their port."""
    monkeypatch.setattr(reading, "ENDING_S", 0.3)
    shared, (closed, port) = shared_memory(), _port()
    closed.close()
    return lambda: leftovers(user, port, scratch, shared)


def _port():
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


def test_where_all_has_ended_nothing_is_left(left, user):
    """Files with locks that nobody holds, and what lies in the state directory for good, are nothing."""
    (user.home / "sweeps" / "e" / "p" / "s" / "launches" / "1").mkdir(parents=True)
    (user.home / "sweeps" / "e" / "p" / "s" / "launches" / "1" / "launcher").touch()
    (user.home / "serve.lock").touch()
    assert left() == []


def test_a_process_is_found(left, user):
    """By its state directory, be it a child of ours or not."""
    process = user.script("-c", "import time; time.sleep(60)")
    assert left() == [f"process {process.pid}: {sys.executable} -c import time; time.sleep(60)"]


def test_a_process_that_is_just_ending_is_none(left, user, monkeypatch):
    """Wandb-core takes a moment to see that its run is gone."""
    monkeypatch.setattr(reading, "ENDING_S", 20)
    user.script("-c", "import time; time.sleep(0.5)")
    assert left() == []


def test_an_open_port_is_found(user, scratch):
    """Somebody listens where the server did."""
    listener, port = _port()
    with listener:
        assert leftovers(user, port, scratch, shared_memory()) == [f"port {port} is open"]


@pytest.mark.parametrize(
    "name", ["server/serve.lock", "sweeps/e/p/s/launches/1/launcher", "slots/host/a.json", "a.lock"]
)
def test_a_held_lock_is_found(left, user, name):
    """Of the server, a launch, what a launch holds of the machine, or whatever else has one."""
    path = user.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert left() == [f"lock {path}"]


def test_temporary_files_and_shared_memory_are_found(left, scratch):
    """What lies in TMPDIR at any depth, and in /dev/shm."""
    (scratch / "folder").mkdir()
    (scratch / "folder" / "file").touch()
    name = f"chaos-{os.getpid()}"
    (SHARED / name).touch()
    try:
        found = left()
    finally:
        (SHARED / name).unlink()
    assert found == ["temporary folder", "temporary folder/file", f"shared memory {name}"]


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("all is well\n", False),
        ("he said: Traceback is a word\n", False),
        ("x\nTraceback (most recent call last):\n", True),
        ("error: KeyError: 1\n  this is a fault of sweeper: SWEEPER_DEBUG=1 shows where\n", True),
        ("Fatal Python error: Segmentation fault\n", True),
    ],
)
def test_complaints_are_found(tmp_path, text, bad):
    """A traceback of our own, or the words that say whose fault it is."""
    log = tmp_path / "a.log"
    log.write_text(text)
    assert bool(complaints([log])) is bad
