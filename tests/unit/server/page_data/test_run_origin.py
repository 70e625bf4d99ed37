"""Where a run ran, out of what the SDK has uploaded: a file that anybody may have written."""

from __future__ import annotations

import json

import pytest

from sweeper.server.page_data import run_origin
from sweeper.server.store.run_files import FileStore


def test_what_the_sdk_notes_is_told_in_words():
    """Counts beside names, bytes as people read them, the command as a shell takes it."""
    noted = {
        "host": "node7",
        "os": "Linux-6.1",
        "python": "CPython 3.11",
        "gpu": "NVIDIA H200",
        "gpu_count": 2,
        "cpu_count": 16,
        "memory": {"total": "137438953472"},
        "git": {"commit": "abc", "remote": "git@host:x.git"},
        "program": "train it.py",
        "args": ["--lr", "0.1"],
    }
    assert run_origin.told(noted) == {
        "host": "node7",
        "system": "Linux-6.1",
        "Python": "CPython 3.11",
        "GPU": "2 x NVIDIA H200",
        "CPU cores": "16",
        "memory": "137 GB",
        "commit": "abc",
        "repository": "git@host:x.git",
        "command": "'train it.py' --lr 0.1",
    }


@pytest.mark.parametrize(
    "noted",
    [
        {"memory": []},
        {"memory": {"total": "x"}},
        {"git": "x"},
        {"args": 3},
        {"program": None, "args": [1]},
        {"host": {}},
    ],
)
def test_what_is_of_another_form_is_left_out(noted):
    """Nothing is known, and nothing breaks."""
    assert run_origin.told(noted) == {}


@pytest.mark.parametrize("content", [None, b"", b"[1]", b"{\xff", b"[" * 100_000])
def test_a_file_that_says_nothing_is_as_good_as_none(tmp_path, content):
    """One that is not there, and ones that the SDK has not written."""
    files = FileStore(tmp_path)
    if content is not None:
        place = files.locate("e", "p", "r", run_origin.NOTED)
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
    assert run_origin.read(files, "e", "p", "r") == {}


def test_the_file_of_a_run_is_found(tmp_path):
    """At the name that the SDK gives it."""
    files = FileStore(tmp_path)
    place = files.locate("e", "p", "r", "wandb-metadata.json")
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"host": "node7"}))
    assert run_origin.read(files, "e", "p", "r") == {"host": "node7"}
