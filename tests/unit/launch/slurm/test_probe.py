"""What a compute node sees is asked before anything is submitted."""

from __future__ import annotations

import json
import os

import pytest

from sweeper import __version__
from sweeper.errors import LaunchError
from sweeper.launch.slurm import probe

WELL = {"version": __version__, "folder": "", "server": ""}
ENVIRON = {"PATH": os.environ["PATH"]}


def test_a_machine_tells_what_it_sees(tmp_path, capsys):
    """As a line of JSON, which whoever asked reads."""
    (tmp_path / "mark").touch()
    assert probe.main([str(tmp_path / "mark"), ""]) == 0
    assert json.loads(capsys.readouterr().out) == WELL
    assert probe.look(tmp_path / "none" / "mark", "")["folder"] == "missing"
    assert probe.look(tmp_path / "another", "")["folder"] == "another"
    assert probe.look(tmp_path / "mark", "http://127.0.0.1:1")["server"]


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ({"folder": "missing"}, "does not see"),
        ({"folder": "another"}, "has another folder at"),
        ({"folder": "read-only"}, "may not write into"),
        ({"version": "0.0.9"}, "has sweeper 0.0.9"),
        ({"server": "no route"}, "does not reach http://h: no route"),
    ],
)
def test_a_node_that_cannot_work_is_refused(tmp_path, slurm, monkeypatch, seen, says):
    """Each with the command that shows more."""
    slurm.says("srun", json.dumps({**WELL, **seen}) + "\n")
    monkeypatch.setitem(ENVIRON, "PATH", os.environ["PATH"])
    with pytest.raises(LaunchError) as caught:
        probe.check(tmp_path, "http://h", ["--partition=gpu"], {"PATH": os.environ["PATH"]})
    assert says in caught.value.message
    assert caught.value.hint
    assert "--partition=gpu" in slurm.asked("srun")[0]
    assert not list(tmp_path.glob(".probe-*"))


def test_a_cluster_that_is_full_is_not_waited_for(tmp_path, slurm):
    """The first job will tell."""
    slurm.says("srun", "", code=1, error="srun: error: Unable to allocate resources: Requested nodes are busy")
    assert "busy" in probe.check(tmp_path, "", [], {"PATH": os.environ["PATH"]})


def test_a_node_without_this_python_is_told_of(tmp_path, slurm):
    """It is installed where nodes do not see it."""
    slurm.says("srun", "", code=2, error="slurmstepd: error: execve(): /v/python: No such file or directory")
    with pytest.raises(LaunchError, match="cannot start this sweeper"):
        probe.check(tmp_path, "", [], {"PATH": os.environ["PATH"]})
