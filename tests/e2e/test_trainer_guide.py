"""docs/trainers.md: its snippets do what it says."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.cookbook, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "docs" / "trainers.md").read_text(), re.MULTILINE | re.DOTALL)
NAMED = {match[1]: text for _, text in BLOCKS if (match := re.match(r"# (\w+\.\w+)\n", text))}
RUN_HERE = {"mine.py", "mine.yaml", "script.py", "script.yaml", "declared.py", "resumes.py", "exports.py"}


@pytest.fixture
def guide(user):
    """A user who has typed in every snippet that has a file name."""
    for name, text in NAMED.items():
        user.write(name, text)
    return user


def start(guide, script: str, **environ: str) -> subprocess.Popen[str]:
    """Start a script without server or account."""
    environ = {**guide.environ, "WANDB_MODE": "offline", "WANDB_DIR": str(guide.folder), **environ}
    command = [sys.executable, "-u", script]
    process = subprocess.Popen(command, cwd=guide.folder, env=environ, stdout=subprocess.PIPE, text=True)
    guide.started.append(process)
    return process


def test_every_snippet_is_python_and_every_named_one_is_run_here():
    """A snippet with a file name has a test on this page; the others are at least grammatical."""
    assert set(NAMED) == RUN_HERE
    python = [text for language, text in BLOCKS if language == "python"]
    assert len(python) == len([name for name in NAMED if name.endswith(".py")]) + 1  # DDP
    for text in python:
        ast.parse(text)


@pytest.mark.parametrize("trainer", ["mine:train", "declared:train"])
def test_a_function_is_swept(guide, trainer):
    """Both functions run under `sweeper launch`, with the sweep's parameters, and log the metric."""
    guide.run("create", "mine.yaml")
    guide.run("launch", "--workers", "1", "--count", "2", "--trainer", trainer)
    runs = guide.status()["runs"]
    assert [run["state"] for run in runs] == ["finished"] * 2
    assert all(run["best"] is not None for run in runs)


def test_a_script_is_swept_by_the_stock_agent(guide):
    """`program:` and `wandb agent` run the whole grid."""
    sweep = json.loads(guide.run("create", "--json", "script.yaml").stdout)["sweep"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it starts `python`
    command = [sys.executable, "-m", "wandb", "agent", sweep]
    environ = {**guide.environ, **guide.sdk(), "PATH": path}
    done = subprocess.run(command, cwd=guide.folder, env=environ, capture_output=True, text=True, timeout=200)
    status = guide.status()
    assert (status["done"], status["best"]["params"]) == (2, {"learning_rate": 0.2}), done.stdout + done.stderr


def test_a_preempted_script_goes_on(guide):
    """SIGTERM ends it with 143 and a checkpoint; the next one adds only what was missing."""
    folder = guide.home / "moved"
    first = start(guide, "resumes.py", SWEEPER_CHECKPOINT_DIR=str(folder))
    guide.wait((folder / "checkpoint.pt").exists, "a checkpoint")
    first.send_signal(signal.SIGTERM)
    assert "weight" not in first.communicate(timeout=60)[0]
    assert first.returncode == 143
    second = start(guide, "resumes.py", SWEEPER_CHECKPOINT_DIR=str(folder))
    said, _ = second.communicate(timeout=100)
    assert (second.returncode, "weight 20.0" in said) == (0, True)


def test_an_export_lies_with_its_run(guide):
    """The file is in the run's own folder."""
    process = start(guide, "exports.py")
    process.communicate(timeout=100)
    assert process.returncode == 0
    assert list(guide.folder.glob("wandb/offline-run-*/files/model.onnx"))
