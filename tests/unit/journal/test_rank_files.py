"""The files over which the nodes of one run talk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sweeper.journal.directories import LaunchDir
from sweeper.journal.rank_files import RankFailure, RankFolder, RankOrder, RankWord, rank_log


def order(number: int) -> RankOrder:
    return RankOrder(
        number=number,
        run_id="r1",
        log="/runs/gpu0-0001.log",
        address="10.0.0.1",
        port=1234,
        parameters="x: {value: 1}\n",
        environ={"WANDB_RUN_ID": "r1"},
        command=("python", "train.py"),
        folder="/work",
    )


@pytest.fixture
def folder(tmp_path) -> RankFolder:
    return RankFolder.of(LaunchDir(tmp_path), "gpu0", "7.0")


def test_an_order_is_read_as_it_was_given(folder):
    """The newest one, whole; there is none at first."""
    assert folder.order() is None
    folder.give(order(1))
    folder.give(order(2))
    assert folder.order() == order(2)


def test_what_is_said_replaces_what_was(folder):
    """Nothing was said of any order at first."""
    assert folder.word() == RankWord()
    folder.say(RankWord(number=1, grace_s=3.0))
    folder.say(RankWord(number=1, ended=True, well=True, grace_s=2.5))
    assert folder.word() == RankWord(number=1, ended=True, well=True, grace_s=2.5)


def test_the_first_failure_of_a_rank_counts_and_each_order_has_its_own(folder):
    """A follower tells again and again; a rank of a lost node has no log."""
    first = RankFailure(number=1, rank=3, node="n1", exit_code=1, error="KeyError: 'lr'", log="/log")
    folder.tell(first)
    folder.tell(RankFailure(number=1, rank=3, node="n1", exit_code=9))
    folder.tell(RankFailure(number=2, rank=0, node="n2"))
    assert folder.failures(1) == [first]
    assert (first.name, first.lost) == ("rank 3 on n1", False)
    assert folder.failures(2)[0].lost
    assert folder.failures(3) == []


def test_failures_come_in_the_order_in_which_they_were_told(folder):
    """By the clock of the folder's own machine, the same for all nodes."""
    for rank in (2, 1):
        folder.tell(RankFailure(number=1, rank=rank, node="n1"))
        os.utime(folder.path / f"failed-1-{rank}.json", (100 - rank, 100 - rank))
    assert [failure.rank for failure in folder.failures(1)] == [2, 1]


def test_nodes_are_heard_of_by_their_counts(folder):
    """None, as long as a node has said nothing."""
    assert folder.heard(1) == -1
    folder.beat(1, 4)
    assert (folder.heard(1), folder.heard(0)) == (4, -1)


def test_the_leader_has_no_more_runs_once_it_says_so(folder):
    """Another life of the job begins anew."""
    assert not folder.closed()
    folder.close()
    assert folder.closed()
    assert not RankFolder(folder.path.with_name("7.1")).path.exists()


def test_nobody_else_reads_them(folder):
    """A run's parameters are its user's alone."""
    folder.give(order(1))
    assert stat.S_IMODE((folder.path / "order.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert [path.name for path in folder.path.iterdir()] == ["order.json"]


def test_each_rank_prints_beside_the_first():
    """Whose log is the run's own."""
    assert rank_log(Path("/runs/gpu0-0001.log"), 3) == Path("/runs/gpu0-0001.rank3.log")
    assert order(1).rank_log(0) == Path("/runs/gpu0-0001.log")
