"""A node that takes part in the runs of another; how its ranks really end is in tests/e2e/test_ranks.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sweeper.journal.directories import LaunchDir
from sweeper.journal.rank_files import RankFolder, RankOrder, RankWord
from sweeper.worker.follower import NodeWatch
from sweeper.worker.spec import Rules, Slot, WorkerSpec

FOLLOW = """
import os, sys
from pathlib import Path
from sweeper.journal.rank_files import RankFolder
from sweeper.worker.follower import Follower
from sweeper.worker.spec import WorkerSpec
folder = RankFolder(Path(sys.argv[2]))
follower = Follower(
    WorkerSpec.load(Path(sys.argv[1])), os.environ, folder, node=int(sys.argv[3]), name="n1", lost_s=2.0, first_s=2.0
)
import signal
signal.signal(signal.SIGTERM, lambda number, _frame: follower.signals.append(number))
sys.exit(follower.run())
"""


class Node:
    """A follower as a real process, and the folder of its leader."""

    def __init__(self, folder: Path, number: int = 1) -> None:
        self.place = folder
        self.folder = RankFolder.of(LaunchDir(folder), "gpu0", "7.0")
        slot = Slot(name="gpu0", device="", threads=1)
        spec = WorkerSpec(
            sweep="e/p/s",
            trainer="toy:train",
            slot=slot,
            count=None,
            directory=str(folder),
            rules=Rules(grace_s=2.0),
            nodes=2,
        )
        spec.save(folder / "spec.json")
        command = [sys.executable, "-c", FOLLOW, str(folder / "spec.json"), str(self.folder.path), str(number)]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        self.process = subprocess.Popen(command, env=env, cwd=folder, stderr=subprocess.PIPE, text=True)
        self.beats = 0

    def order(self, number: int, *command: str, folder: str = "") -> None:
        """Give an order for a command."""
        self.folder.give(
            RankOrder(
                number=number,
                run_id="r1",
                log=str(self.place / f"gpu0-000{number}.log"),
                address="127.0.0.1",
                port=1,
                parameters="",
                command=command,
                folder=folder or str(self.place),
            )
        )

    def wait(self, condition, timeout_s=60) -> None:
        """Wait for something, and be alive meanwhile."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline
            self.beats += 1
            self.folder.beat(0, self.beats)
            time.sleep(0.1)

    def made(self, name: str) -> Path:
        """Wait until a rank has made a file."""
        self.wait((self.place / name).exists)
        return self.place / name


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path)
    yield node
    node.process.kill()
    node.process.communicate()


def test_runs_are_followed_one_after_the_other(node):
    """Each order once; the ranks of an ended one may end by themselves, and nothing is told of how."""
    node.order(1, "bash", "-c", "touch one; exit 3")
    node.folder.say(RankWord(number=0))
    node.made("one")
    node.wait(lambda: node.folder.failures(1))
    node.folder.say(RankWord(number=1, ended=True, grace_s=1.0))
    node.order(2, "bash", "-c", "touch two; sleep 1; touch done; exit 3")
    node.made("two")
    node.folder.say(RankWord(number=2, ended=True, well=True, grace_s=60.0))
    node.made("done")
    node.folder.close()
    node.wait(lambda: node.process.poll() is not None)
    assert node.process.returncode == 0
    assert node.folder.failures(2) == []


def test_ranks_that_do_not_end_are_killed(node):
    """When the first is gone, and when a leader was replaced that could not say so."""
    node.order(1, "bash", "-c", "trap '' TERM; touch one; while true; do sleep 0.1; done")
    node.made("one")
    node.folder.say(RankWord(number=1, ended=True, grace_s=0.5))
    node.order(2, "bash", "-c", "touch two; sleep 600")
    node.made("two")
    node.order(3, "bash", "-c", "touch three; sleep 600")
    node.made("three")
    node.process.send_signal(signal.SIGTERM)
    node.wait(lambda: node.process.poll() is not None)
    assert node.process.returncode == 0


def test_a_node_that_cannot_start_its_ranks_says_so(node):
    """The folder of the launch is not there, for example."""
    node.order(1, "true", folder="/no/such/folder")
    node.wait(lambda: node.folder.failures(1))
    assert "cannot be started there" in node.folder.failures(1)[0].error
    assert node.process.poll() is None


def test_a_follower_ends_when_nothing_is_heard_of_its_leader(node):
    """It would hold its node for ever."""
    node.order(1, "bash", "-c", "touch one; sleep 600")
    node.made("one")
    said = node.process.communicate(timeout=60)[1]
    assert node.process.returncode == 1
    assert "nothing is heard of the first node" in said


def test_the_first_node_tells_of_one_that_is_gone(tmp_path):
    """Its run would wait for it for ever."""
    node = Node(tmp_path, number=0)
    node.order(1, "true")
    deadline = time.monotonic() + 60
    while not node.folder.failures(1) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert node.folder.failures(1)[0].lost
    node.folder.close()
    assert node.process.wait(timeout=60) == 0
    node.process.communicate()


def test_silence_is_measured_by_ones_own_clock():
    """A node that is still to come has more time than one that was there; a new count is a sign of life."""
    counts = {1: 5, 2: -1}
    watch = NodeWatch(range(1, 3), counts.__getitem__, lost_s=10.0, first_s=100.0)
    assert watch.silent(0.0) == []
    assert watch.silent(11.0) == [1]
    counts[1] = 6
    assert watch.silent(12.0) == []
    assert watch.silent(101.0) == [1, 2]
