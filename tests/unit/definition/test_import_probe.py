"""A function, imported in a process of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sweeper.definition.import_probe import import_error


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def train(): ...", None),
        ("class train: ...", None),
        ("import sys\nprint(sys.argv, file=sys.stderr)\ndef train(): ...", None),
        ("x = 3", "own has no function 'train'"),
        ("train = 3", "own:train is no function, it is int"),
        ("import nonesuch_abc", "cannot import own: ModuleNotFoundError: No module named 'nonesuch_abc'"),
        ("\n\n1 / 0", "ZeroDivisionError: division by zero ({folder}/own.py, line 3)"),
        ("def f(:", "cannot import own: SyntaxError"),
        ("import sys\nsys.exit(3)", "cannot import own: SystemExit: 3"),
        ("import os\nos._exit(3)", "importing own ends Python with exit code 3"),
        ("import os\nos.kill(os.getpid(), 9)", "importing own ends Python with signal 9"),
        ("import os\nassert os.environ['WANDB_MODE'] == 'disabled' and os.environ['MINE']\ndef train(): ...", None),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()\ndef train(): ...", None),
    ],
)
def test_what_an_import_meets_is_told_with_its_line(folder, text, said):
    """Whatever the module does, this process goes on, and no run is made."""
    (folder / "own.py").write_text(text)
    found = import_error("own:train", {**os.environ, "MINE": "1"})
    assert (found is None) == (said is None), found
    assert (said or "").format(folder=folder) in (found or "")


def test_an_import_that_takes_long_is_ended_with_what_it_started(folder):
    """Nobody knows then whether it is right."""
    (folder / "own.py").write_text(
        "import os, pathlib, subprocess, time\n"
        "pathlib.Path('pid').write_text(str(subprocess.Popen(['sleep', '600']).pid))\ntime.sleep(600)\n"
    )
    with pytest.raises(TimeoutError, match="importing own takes longer than 2 s"):
        import_error("own:train", os.environ, limit_s=2)
    state = Path(f"/proc/{Path('pid').read_text()}/stat")
    for _ in range(100):
        if not state.exists() or ") Z" in state.read_text():
            return
        time.sleep(0.05)
    pytest.fail("what the import started still runs")
