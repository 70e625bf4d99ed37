"""Versions and machines."""

from __future__ import annotations

import json

import sweeper
from sweeper.results.report import origin


def test_what_the_sdk_noted_of_a_run(tmp_path):
    """System, Python, GPU, commit and the packages that matter; names of people and folders stay out."""
    noted = {
        "os": "Linux-6.1", "python": "3.12.1", "host": "box", "gpu": "NVIDIA H200", "gpu_count": 2, "cpu_count": 16,
        "git": {"commit": "abc", "remote": "https://x/y"}, "email": "me@x", "root": "/data/me", "username": "me",
    }  # fmt: skip
    (tmp_path / "wandb-metadata.json").write_text(json.dumps(noted))
    (tmp_path / "requirements.txt").write_text("numpy==2.1\nother==1\ntorch==2.9.1+cu128\nwandb==0.31.0\n")
    rows = dict(origin.of_run(sorted(tmp_path.iterdir())))
    assert rows["GPU"] == "NVIDIA H200"
    assert (rows["torch"], rows["wandb"], rows["commit"]) == ("2.9.1+cu128", "0.31.0", "abc")
    expected = {"machine", "system", "Python", "GPU", "GPUs", "CPUs", "commit", "numpy", "torch", "wandb"}
    assert rows.keys() == expected


def test_notes_of_another_kind_are_left_out(tmp_path):
    """A server may hold anything under that name, or nothing."""
    assert origin.of_run([]) == ()
    file = tmp_path / "wandb-metadata.json"
    for text in ("[1]", "{", '{"git": [1], "os": null}', "\xff"):
        file.write_text(text)
        assert origin.of_run([file]) == ()
    assert origin.of_run([tmp_path / "requirements.txt"]) == ()


def test_what_wrote_the_report():
    """Its own version, Python's and the SDK's, without an import of it."""
    rows = dict(origin.of_this_machine())
    assert rows["sweeper"] == sweeper.__version__
    assert {"Python", "wandb", "system"} <= rows.keys()
