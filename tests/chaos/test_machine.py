"""Processes believe what the machine says of its clock and its disk, from one moment to the next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from tests.chaos.machine import Machine

SCRIPT = """
import json, os, sys, tempfile, time
file = tempfile.TemporaryFile()
for line in sys.stdin:
    began, error = time.monotonic(), 0
    try:
        os.fsync(file.fileno())
    except OSError as refusal:
        error = refusal.errno
    print(json.dumps([time.time(), time.monotonic() - began, error]), flush=True)
"""


@pytest.fixture
def machine(tmp_path):
    """A machine; none without a C compiler."""
    machine = Machine(tmp_path)
    if not machine.environ:
        pytest.skip("no C compiler (Debian: gcc libc6-dev)")
    return machine


def test_the_clock_jumps_and_the_disk_is_slow_or_fails(machine):
    """In a process that runs; its monotonic clock goes on as it did."""
    command = [sys.executable, "-c", SCRIPT]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env={**os.environ, **machine.environ}, text=True, **pipes) as process:

        def look():
            process.stdin.write("\n")
            process.stdin.flush()
            now, took_s, error = json.loads(process.stdout.readline())
            return now - time.time(), took_s, error

        off, took_s, error = look()
        assert abs(off) < 5
        assert (took_s < 0.3, error) == (True, 0)
        machine.set(clock=-3600, fsync=0.4)
        off, took_s, error = look()
        assert abs(off + 3600) < 5
        assert 0.4 <= took_s < 5
        assert error == 0
        machine.set(clock=0, fsync=0, eio=1)
        off, took_s, error = look()
        assert abs(off) < 5
        assert (took_s < 0.3, error) == (True, 5)
