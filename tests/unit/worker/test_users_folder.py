"""The user's folder on the path of a trainer's process."""

from __future__ import annotations

import subprocess

from sweeper.processes import python

CODE = """
import os, sys
import sweeper.worker.users_folder as folder
assert os.getcwd() not in sys.path
folder.come_first()
assert sys.path[0] == os.getcwd(), sys.path
before = list(sys.path)
folder.come_first()
assert sys.path == before
import json.decoder, click_of_mine
"""


def test_the_folder_comes_first_once(tmp_path):
    """Its modules are found and win."""
    (tmp_path / "click_of_mine.py").touch()
    done = subprocess.run(python("-c", CODE), cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
