"""A launch that is alone: its terminal was closed, its pipe is read by nobody."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

TALKER = """
import sys, time
from pathlib import Path
from sweeper.launch.terminal import Voice

voice = Voice(Path(sys.argv[1]))
voice.say(lambda: print("first", flush=True))
sys.stdin.readline()
voice.say(lambda: print("second", flush=True))
print("third", flush=True)
print("an error", file=sys.stderr, flush=True)
"""


def start(log, stdout) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", TALKER, str(log)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE)


@pytest.mark.parametrize("make", [pty.openpty, os.pipe], ids=["terminal", "pipe"])
def test_what_is_said_to_nobody_stands_in_the_file(tmp_path, make):
    """From then on; what still leads somewhere, here standard error, is left alone."""
    log = tmp_path / "launch.log"
    ours, theirs = make()
    process = start(log, theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as reader:
        assert reader.readline().strip() == b"first"
    _, errors = process.communicate(b"go on\n", timeout=30)
    assert process.returncode == 0
    assert log.read_text() == "second\nthird\n"
    assert errors == b"an error\n"


def test_what_a_terminal_refuses_that_is_closed_in_that_moment_is_said_again(tmp_path):
    """And an error that has nothing to do with it stays one."""
    code = """
import os, sys
from pathlib import Path
from sweeper.launch.terminal import Voice

voice, reader, tries = Voice(Path(sys.argv[1])), int(sys.argv[2]), []

def speak():
    tries.append(1)
    if len(tries) == 1:
        os.close(reader)
    print("said", flush=True)

voice.say(speak)
try:
    voice.say(lambda: open("/nowhere/at/all"))
except FileNotFoundError:
    print("passed on", flush=True)
"""
    reader, writer = os.pipe()
    log = tmp_path / "launch.log"
    command = [sys.executable, "-c", code, str(log), str(reader)]
    process = subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, pass_fds=[reader])
    os.close(reader)
    os.close(writer)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert log.read_text().endswith("said\npassed on\n")


def test_as_long_as_somebody_listens_there_is_no_file(tmp_path):
    """A pipe that is read, or a file, is no terminal that was closed."""
    process = start(tmp_path / "launch.log", subprocess.PIPE)
    said, _ = process.communicate(b"go on\n", timeout=30)
    assert said == b"first\nsecond\nthird\n"
    assert not (tmp_path / "launch.log").exists()
