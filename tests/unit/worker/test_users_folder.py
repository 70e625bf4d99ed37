"""The user's folder on the path of a trainer's process."""

from __future__ import annotations

import subprocess
import sys

from sweeper.processes import python

CODE = """
import os, sys
import sweeper.worker.users_folder as folder
assert sys.path[0] == os.getcwd(), sys.path
before = list(sys.path)
folder.come_first()
assert sys.path == before
import json.decoder, click_of_mine
"""


def test_the_folder_comes_first_once(tmp_path):
    """Its modules are found and win, from the module's import on."""
    (tmp_path / "click_of_mine.py").touch()
    done = subprocess.run(python("-c", CODE), cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_else_of_ours_imports_it(tmp_path):
    """A worker that imported it would take what lies in the folder for what is installed."""
    code = "import sys, sweeper.worker.slot_loop, sweeper.cli; print('sweeper.worker.users_folder' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
