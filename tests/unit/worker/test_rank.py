"""A process of a run that is not its first rank."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sweeper.processes import python
from tests.conftest import has_ended

ROOT = Path(__file__).parents[3]


def start(folder, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        python("-m", "sweeper.worker.rank", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("print('trained')", 0, "trained\n"),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no data')", 1, "no data\n"),
        ("raise SystemExit", 0, ""),
        ("{}['lr']", 1, "KeyError: 'lr'\n"),
    ],
)
def test_a_function_is_called_and_its_end_is_the_processs(tmp_path, body, code, said):
    """With the user's own frames in its log, and none of ours."""
    (tmp_path / "toy.py").write_text(f"def train():\n    {body}\n")
    process = start(tmp_path, "function", "toy:train")
    out = process.communicate(timeout=60)[0]
    assert process.returncode == code
    assert out.endswith(said)
    assert "/sweeper/worker/" not in out


def test_a_function_that_cannot_be_loaded_says_why(tmp_path):
    """As the first rank would."""
    process = start(tmp_path, "function", "nowhere:train")
    assert "cannot import nowhere" in process.communicate(timeout=60)[0]
    assert process.returncode == 1


def test_a_sigterm_interrupts_a_function_once(tmp_path):
    """It may still save what it has; a second one does not disturb it."""
    (tmp_path / "toy.py").write_text(
        "import time\n"
        "def train():\n"
        "    try:\n        print('ready', flush=True)\n        time.sleep(600)\n"
        "    finally:\n        print('saving', flush=True)\n        time.sleep(1)\n        print('saved', flush=True)\n"
    )
    process = start(tmp_path, "function", "toy:train")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "saving\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[0] == "saved\n"
    assert process.returncode == 128 + signal.SIGTERM


def test_a_script_takes_the_processs_place(tmp_path):
    """With its arguments; what is no command is told."""
    process = start(tmp_path, "script", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--lr=1")
    assert process.communicate(timeout=60)[0] == "['--lr=1']\n"
    missing = start(tmp_path, "script", "no-such-tool")
    assert "no-such-tool cannot be started: No such file" in missing.communicate(timeout=60)[0]
    assert missing.returncode == 127


def test_a_script_dies_with_its_node():
    """Also where that is killed: the bond outlives the exec."""
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-P', '-m', 'sweeper.worker.rank', 'script', 'sleep', '600'])\n"
        "print(child.pid, flush=True)\ntime.sleep(600)\n"
    )
    node = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    script = psutil.Process(int(node.stdout.readline()))
    deadline = time.monotonic() + 60
    while script.name() != "sleep" and time.monotonic() < deadline:
        time.sleep(0.05)
    node.kill()
    node.communicate()
    while not has_ended(script) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert has_ended(script)
