"""One run over several nodes: real followers, the real server and SDK; two nodes are two processes of this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.rank_files import RankFolder
from sweeper.ref import SweepRef
from sweeper.worker import ranks
from sweeper.worker.spec import Rules, Slot, WorkerSpec
from tests.conftest import WORK, User, has_ended

pytestmark = [pytest.mark.e2e, pytest.mark.away, pytest.mark.timeout(300)]

FOLLOW = """
import os, sys
from pathlib import Path
from sweeper.journal.rank_files import RankFolder
from sweeper.worker.follower import follow
from sweeper.worker.spec import WorkerSpec
spec = WorkerSpec.load(Path(sys.argv[1]))
sys.exit(follow(spec, os.environ, RankFolder(Path(sys.argv[2])), node=int(sys.argv[3]), name="n" + sys.argv[3]))
"""

# what every kind of trainer notes: who it is, and what it was given
NOTE = """
import json, os, pathlib, signal, time, wandb

def note(run, **more):
    names = ["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"]
    facts = {name: os.environ[name] for name in names} | {"config": dict(run.config), "pid": os.getpid(), **more}
    place = pathlib.Path(f"seen-{run.config.x}-{os.environ['RANK']}.json")
    place.with_suffix(".new").write_text(json.dumps(facts))
    place.with_suffix(".new").rename(place)

def meet(run):
    # wait for all ranks, as the first collective of a real trainer does
    while len(list(pathlib.Path().glob(f"seen-{run.config.x}-*.json"))) < int(os.environ["WORLD_SIZE"]):
        time.sleep(0.05)
"""


@dataclass
class Nodes:
    """The nodes of one job, as far as runs can tell.

    Attributes:
        user: Whose they are.
        spec: The worker's orders.
        environ: What its station would have told it.
    """

    user: User
    spec: WorkerSpec
    environ: dict[str, str]
    folder: RankFolder
    leader: subprocess.Popen[str] | None = None
    followers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def launch(self) -> LaunchDir:
        """The launch's folder."""
        return LaunchDir(Path(self.spec.directory))

    def start(self) -> None:
        """Start a worker, and a follower for every node."""
        orders = self.launch.path / "given.json"
        self.spec.save(orders)
        self.followers = [self._start(FOLLOW, orders, self.folder.path, node) for node in range(self.spec.nodes)]
        self.leader = self._start(WORK, orders)

    def _start(self, code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", code, *map(str, arguments)],
            cwd=self.user.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.user.started.append(process)
        return process

    def end(self) -> str:
        """Wait until the worker has no more runs; tell the state it ended in."""
        assert self.leader is not None
        state = self.leader.communicate(timeout=150)[0].strip()
        self.folder.close()
        assert [follower.wait(timeout=30) for follower in self.followers] == [0] * self.spec.nodes
        return state

    def seen(self, x: object, rank: int) -> dict[str, object]:
        """What a rank of the run with this `x` has noted."""
        return dict(json.loads((self.user.folder / f"seen-{x}-{rank}.json").read_text()))

    def process(self, x: object, rank: int) -> psutil.Process:
        """The process of such a rank, as soon as it has noted anything."""
        self.user.wait((self.user.folder / f"seen-{x}-{rank}.json").exists, f"rank {rank} of x={x}")
        return psutil.Process(int(str(self.seen(x, rank)["pid"])))


@pytest.fixture
def nodes(user):
    """What makes the nodes of a job for a new sweep."""

    def make(code: str, *, values=(1,), per_node=1, keys=None, **rules) -> Nodes:
        user.write("toy.py", NOTE + code)
        definition = {
            "method": "grid",
            "metric": {"name": "loss"},
            "parameters": {"x": {"values": list(values)}, "net": {"parameters": {"lr": {"value": 0.001}}}},
            **(keys or {}),
        }
        user.run("create", user.write("sweep.json", json.dumps(definition)), "--elsewhere")
        ref = SweepRef.parse(user.status()["sweep"])
        directory = SweepDir.of(user.home, ref)
        launch = directory.new_launch()
        spec = WorkerSpec(
            sweep=str(ref),
            trainer="toy:train",
            slot=Slot(name="cpu0", device="", threads=1),
            count=None,
            directory=str(launch.path),
            rules=Rules(**{"grace_s": 5.0, "retries": 0, **rules}),
            script="program" in definition or "command" in definition,
            nodes=2,
            ranks_per_node=per_node,
        )
        folder = RankFolder.of(launch, "cpu0", "7.0")
        environ = {**user.environ, **user.sdk(), "WANDB_DIR": str(directory.wandb), ranks.FOLDER: str(folder.path)}
        directory.wandb.mkdir(exist_ok=True)
        return Nodes(user, spec, {**environ, "GLOO_SOCKET_IFNAME": "lo", ranks.ADDRESS: "127.0.0.1"}, folder)

    return make


WELL = """
def train():
    with wandb.init(config={"x": -1, "mine": 2}) as run:
        note(run, id=run.id)
        meet(run)
        run.log({"loss": float(os.environ["RANK"])})
"""


@pytest.mark.parametrize("kind", ["function", "script"])
def test_every_rank_has_the_same_config_and_the_first_alone_logs(nodes, kind):
    """Two runs in a row on two nodes with two ranks each, as torchrun numbers them; no default is in their way."""
    script = {"program": "toy.py", "command": ["python", "${program}", "--lr=${envvar:LR}", "${args_no_hyphens}"]}
    more = "import sys\nif __name__ == '__main__':\n    train()\n" if kind == "script" else ""
    job = nodes(WELL + more, values=[1, 2], per_node=2, keys=script if kind == "script" else None)
    job.environ["LR"] = "3"
    job.start()
    assert job.end() == "done"
    ports = set()
    for x in (1, 2):
        seen = [job.seen(x, rank) for rank in range(4)]
        assert [[one[name] for name in ("RANK", "LOCAL_RANK", "GROUP_RANK")] for one in seen] == [
            ["0", "0", "0"],
            ["1", "1", "0"],
            ["2", "0", "1"],
            ["3", "1", "1"],
        ]
        assert {(one["WORLD_SIZE"], one["LOCAL_WORLD_SIZE"], one["MASTER_ADDR"]) for one in seen} == {
            ("4", "2", "127.0.0.1")
        }
        assert [one["config"] for one in seen] == [{"x": x, "mine": 2, "net": {"lr": 0.001}}] * 4
        assert len({one["id"] for one in seen}) == 1
        ports.update(one["MASTER_PORT"] for one in seen)
    assert len(ports) == 2
    runs = job.user.status()["runs"]
    assert [(run["state"], run["last"]) for run in runs] == [("finished", 0.0)] * 2
    assert len(sorted(job.launch.path.glob("runs/*.rank*.log"))) == 6


FAILS = """
def train():
    with wandb.init() as run:
        note(run)
        if os.environ["RANK"] == "1":
            case = run.config.x
            if case == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if case == "raised":
                raise KeyError("lr")
            if case == "exit":
                print("no such data", flush=True)
                os._exit(3)
        meet(run)
        time.sleep(600 if run.config.x != "well" else 0)
"""


def test_a_rank_that_fails_ends_its_run_and_is_named(nodes):
    """The first would wait for it for ever; what the rank said last is the cause, and the next run has all ranks."""
    job = nodes(FAILS, values=["raised", "exit", "killed", "well"], guess_broken=False)
    job.start()
    assert job.end() == "done"
    runs = {run["params"]["x"]: run for run in job.user.status()["runs"]}
    assert {x: run["state"] for x, run in runs.items()} == {
        "raised": "failed",
        "exit": "failed",
        "killed": "failed",
        "well": "finished",
    }
    assert runs["raised"]["reason"] == "rank 1 on n1: KeyError: 'lr'"
    assert runs["raised"]["kind"] == "exception"
    assert runs["exit"]["reason"] == ("rank 1 on n1 (its log ends with: no such data): the process exited with code 3")
    assert runs["killed"]["reason"].startswith("rank 1 on n1: the process was ended by SIGKILL")
    assert "KeyError" in " ".join(next(one for one in job.launch.history() if one.reason.endswith("'lr'")).log_tail)


SLEEPS = """
def train():
    with wandb.init() as run:
        note(run)
        meet(run)
        while True:
            run.log({"loss": 1.0})
            time.sleep(0.2)
"""


def test_when_the_first_rank_ends_for_any_reason_the_others_do(nodes):
    """Killed, or stopped by the server: nothing of the run is left on the other node."""
    job = nodes(SLEEPS, values=[1, 2], guess_broken=False)
    job.start()
    first, other = job.process(1, 0), job.process(1, 1)
    first.kill()
    job.user.wait(lambda: has_ended(other), "the other rank's end", 20)
    other = job.process(2, 1)
    job.user.run("cancel")
    job.user.wait(lambda: has_ended(other), "the end of the other rank of a stopped run", 40)
    assert job.end() == "done"


def test_a_follower_whose_leader_is_gone_ends_its_ranks(nodes):
    """And a stop of the job ends them within its grace."""
    job = nodes(SLEEPS)
    job.start()
    other = job.process(1, 1)
    job.followers[1].send_signal(signal.SIGTERM)
    assert job.followers[1].wait(timeout=20) == 0
    assert has_ended(other)
