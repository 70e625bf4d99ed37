"""A killed wandb-core is nobody's traceback, and what else goes wrong in a thread is told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sweeper.backend import sdk_service

SERVICE = """
import psutil, sys, wandb
from sweeper.backend import sdk_service
wandb.setup().ensure_service()
(service,) = psutil.Process().children()
if sys.argv[1] == "kill":
    service.kill()
    service.wait()
sdk_service.end()
print(service.is_running())
"""


@pytest.mark.parametrize("how", ["kill", "leave"])
def test_the_sdks_service_ends_with_us_without_a_word(how, tmp_path):
    """A process whose wandb-core was killed by somebody ends as it would have ended, and prints no traceback."""
    environ = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", SERVICE, how]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


def test_without_a_service_there_is_nothing_to_end():
    """Most commands start none; a second call finds none. The SDK is not imported for it."""
    code = "import sys; from sweeper.backend import sdk_service as s; s.end(); s.end(); print('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("wandb-ServiceFinalizer", ConnectionResetError(), 0),
        ("wandb-ServiceFinalizer", BrokenPipeError(), 0),
        ("wandb-ServiceFinalizer", KeyError("x"), 1),
        ("poller", ConnectionResetError(), 1),
    ],
)
def test_only_a_lost_service_in_a_thread_of_the_sdks_is_kept_quiet(monkeypatch, name, error, told):
    """Another error, and another thread's, is told as ever."""
    heard: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: heard.append(args.exc_value))
    sdk_service.die_quietly()

    def fail() -> None:
        raise error

    thread = threading.Thread(target=fail, name=name)
    thread.start()
    thread.join()
    assert heard == [error] * told
