"""The nodes of one job whose runs take several."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.rank_files import RankFolder
from sweeper.launch import rank_nodes
from sweeper.ref import SweepRef
from sweeper.worker.spec import Rules, Slot, WorkerSpec
from tests.conftest import has_ended

ENVIRON = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}


@pytest.fixture
def spec(tmp_path) -> WorkerSpec:
    launch = SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()
    return WorkerSpec(
        sweep="e/p/s",
        trainer="a:b",
        slot=Slot(name="gpu0", device="", threads=4),
        count=None,
        directory=str(launch.path),
        rules=Rules(grace_s=1.0),
        nodes=2,
        ranks_per_node=2,
    )


def test_slurm_says_which_node_this_is():
    """Elsewhere there is one."""
    assert rank_nodes.node_of({"SLURM_NODEID": "1"}) == 1
    assert rank_nodes.node_of({}) == 0


def test_each_life_of_a_job_has_a_name_of_its_own():
    """All of its nodes know the same one."""
    assert rank_nodes.session_of({}, "12_3") == "12_3.0"
    assert rank_nodes.session_of({"SLURM_RESTART_COUNT": "2"}, "12_3") == "12_3.2"


def test_the_ranks_of_a_node_share_its_cores(spec):
    """A run that has one process has them all."""
    assert rank_nodes.share_of(spec, 8) == 4
    assert rank_nodes.share_of(spec, 1) == 1
    assert rank_nodes.share_of(replace(spec, nodes=1), 8) == 8


def test_a_first_node_is_heard_of_while_it_works(spec):
    """By a process that ends with it; the others see that it has no more runs."""
    with rank_nodes.leading(spec, ENVIRON, session="7.0", name="n0") as lead:
        folder = RankFolder.of(LaunchDir(Path(spec.directory)), "gpu0", "7.0")
        assert lead.environ == {"SWEEPER_RANKS": str(folder.path)}
        keeper = psutil.Process(lead.pid)
        while folder.heard(0) < 0:
            assert not has_ended(keeper)
            time.sleep(0.05)
    assert has_ended(keeper)
    assert folder.closed()
    assert rank_nodes.follow(spec, ENVIRON, session="7.0", node=1, name="n1") == 0


def test_runs_on_one_node_need_none_of_this(spec):
    """No process, no folder."""
    with rank_nodes.leading(replace(spec, nodes=1), {}, session="7.0", name="n0") as lead:
        assert (lead.environ, lead.pid) == ({}, None)


def test_what_is_wrong_with_its_arguments_is_told(capsys):
    """It is ours to start."""
    assert rank_nodes.main([]) == rank_nodes.USAGE
    assert "ORDERS FOLDER NAME" in capsys.readouterr().err
