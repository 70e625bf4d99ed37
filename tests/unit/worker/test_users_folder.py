"""The user's folder on the path of a trainer's process."""

from __future__ import annotations

import subprocess
import textwrap

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


def test_what_a_trainers_module_adds_to_the_path_is_there_for_its_runs(tmp_path):
    """It is imported once, and what its functions import later lies where it has said."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "helper_of_mine.py").touch()
    (tmp_path / "mine.py").write_text("import sys\nsys.path.append('lib')\n")
    code = """
    import sys
    from sweeper.worker import preload, users_folder
    clean = list(sys.path)
    preload.import_trainer("mine")
    sys.path[:] = clean  # as in a worker
    users_folder.come_first()  # as in a run's process
    import helper_of_mine
    """
    done = subprocess.run(python("-c", textwrap.dedent(code)), cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
