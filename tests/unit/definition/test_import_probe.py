"""A function, imported in a process of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sweeper.definition.import_probe import obstacles
from sweeper.definition.program import choose


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("def train(): ...", None, ""),
        ("class train: ...", None, ""),
        ("import sys\nprint(sys.argv, file=sys.stderr)\ndef train(): ...", None, ""),
        ("x = 3", "wrong", "importer has no function 'train'"),
        ("train = 3", "wrong", "importer:train is no function, it is int"),
        ("import wandb\nwandb.init()\ndef train(): ...", "wrong", "importing importer calls wandb.init"),
        (
            "import nonesuch_abc",
            "missing",
            "cannot import importer: ModuleNotFoundError: No module named 'nonesuch_abc'",
        ),
        ("\n\n1 / 0", "missing", "ZeroDivisionError: division by zero ({folder}/importer.py, line 3)"),
        ("def f(:", "missing", "cannot import importer: SyntaxError"),
        ("import sys\nsys.exit(3)", "missing", "cannot import importer: SystemExit: 3"),
        ("import os\nos._exit(3)", "missing", "importing importer ends Python with exit code 3"),
        ("import os\nos.kill(os.getpid(), 9)", "missing", "importing importer ends Python with signal 9"),
        ("import os\nassert os.environ['WANDB_MODE'] == 'disabled' and os.environ['MINE']\ndef train(): ...", None, ""),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()\ndef train(): ...", None, ""),
    ],
)
def test_what_an_import_meets_is_told_with_its_line(folder, text, kind, said):
    """Whatever the module does, this process goes on, and no run is made."""
    (folder / "importer.py").write_text(text)
    found = list(obstacles(choose(None, "importer:train"), {**os.environ, "MINE": "1"}))
    assert [(one.kind, one.key) for one in found] == ([(kind, ("program",))] if kind else []), found
    assert said.format(folder=folder) in "".join(one.message for one in found)


def test_an_import_that_takes_long_is_ended_with_what_it_started(folder):
    """Nobody knows then whether it is right."""
    (folder / "own.py").write_text(
        "import os, pathlib, subprocess, time\n"
        "pathlib.Path('pid').write_text(str(subprocess.Popen(['sleep', '600']).pid))\ntime.sleep(600)\n"
    )
    [said] = obstacles(choose("own:train", None), os.environ, limit_s=2)
    assert (said.kind, said.key, said.message) == ("note", (), "importing own takes longer than 2 s")
    state = Path(f"/proc/{Path('pid').read_text()}/stat")
    for _ in range(100):
        if not state.exists() or ") Z" in state.read_text():
            return
        time.sleep(0.05)
    pytest.fail("what the import started still runs")
