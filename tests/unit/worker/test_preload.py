"""What binds a forkserver to its worker."""

from __future__ import annotations

import subprocess
import sys

import psutil

from tests.conftest import has_ended

WORKER = """
import subprocess, sys, time
server = subprocess.Popen(
    [sys.executable, "-c", "import sweeper.worker.preload, time; print('bound', flush=True); time.sleep(60)"],
    stdout=subprocess.PIPE, text=True,
)
server.stdout.readline()
print(server.pid, flush=True)
time.sleep(60)
"""


def test_a_forkserver_dies_with_its_worker():
    """Kill -9 of the worker leaves nothing behind."""
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    server = psutil.Process(int(worker.stdout.readline()))
    assert not has_ended(server)
    worker.kill()
    worker.communicate()
    server.wait(timeout=10)
    assert has_ended(server)
