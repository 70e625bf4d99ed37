"""A real Slurm for every test, and a user who stands on its login node."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from sweeper.journal.directories import LaunchDir, SweepDir
from tests.conftest import User
from tests.slurm.cluster import SlurmCluster, missing

TRAINER = """
import json, os, time
import wandb

def train():
    with wandb.init() as run:
        seen = [run.id, run.config["x"], os.environ["SLURMD_NODENAME"], os.environ.get("CUDA_VISIBLE_DEVICES", "")]
        with open(os.environ["SEEN"], "a") as file:
            file.write(json.dumps([*seen, time.time()]) + chr(10))
        print("training", run.id, flush=True)
        step, until = 0, os.environ.get("UNTIL", "/")
        while step < int(os.environ["STEPS"]) or not os.path.exists(until):
            run.log({"loss": run.config["x"] + 1 / (step + 1), "step": step})
            step += 1
            time.sleep(float(os.environ["STEP_S"]))
    with open(os.environ["SEEN"] + ".ended", "a") as file:
        file.write(json.dumps([*seen, time.time(), step]) + chr(10))
"""


@pytest.fixture
def cluster() -> Iterator[SlurmCluster]:
    """Two nodes with two GPUs each, up until the test has ended."""
    if lacks := missing():
        pytest.skip(f"no Slurm can be started here: {lacks} (Debian: slurm-wlm munge)")
    folder = Path(tempfile.mkdtemp(prefix="s"))  # short: it is in the names of sockets
    folder.chmod(0o755)
    cluster = SlurmCluster(folder / "c")
    cluster.up()
    yield cluster
    cluster.down()


@dataclass
class ClusterUser:
    """A user on the login node.

    Attributes:
        user: Them.
        cluster: The cluster.
        seen: What runs wrote of where they were: run, parameter, node, GPUs, time.
    """

    user: User
    cluster: SlurmCluster
    seen: Path

    def grid(self, runs: int) -> None:
        """Create a sweep of so many runs."""
        values = ", ".join(map(str, range(runs)))
        self.user.write("train.py", TRAINER)
        self.user.write(
            "grid.yaml",
            "name: g\nmethod: grid\nmetric: {name: loss, goal: minimize}\n"
            f"parameters:\n  x: {{values: [{values}]}}\n",
        )
        self.user.run("create", "grid.yaml")

    def launch(self, *options: object, code: int = 0) -> Any:
        """Launch on Slurm, and stay with it no longer than it takes to submit."""
        given = ("launch", "--on", "slurm", "--trainer", "train:train", "--detach", *options)
        return self.user.run(*given, code=code)

    @property
    def directory(self) -> LaunchDir:
        """The newest launch's."""
        (sweep,) = SweepDir.known(self.user.home)
        return sweep.launches()[-1]

    def job(self, what: str) -> str:
        """Tell the number of a job: `head`, or a slot's."""
        told = json.loads((self.directory.path / "slurm.json").read_text())
        return str(told["head"] if what == "head" else told["workers"][what])

    def runs(self, *, ended: bool = False) -> list[list[Any]]:
        """Read where runs were, in the order in which they began, or ended."""
        file = self.seen.with_name("seen.ended") if ended else self.seen
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 90) -> Any:
        """Wait until something holds; tell of the queue and of all logs if it does not."""
        try:
            return self.user.wait(condition, what, timeout_s)
        except AssertionError as error:
            logs = [*self.directory.path.glob("head-*.log"), *self.directory.path.glob("slurm-*.log")]
            said = "\n".join(f"--- {log.name}\n{log.read_text()[-2000:]}" for log in logs)
            raise AssertionError(f"{self.cluster.jobs()}\n{said}\n{error}") from None

    def on_the_login_node(self) -> list[str]:
        """List the user's processes that are in no job, by their command lines."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                environ = process.environ()  # read once: of a process that just starts or ends there is none
                if environ.get("SWEEPER_HOME") == str(self.user.home) and "SLURM_JOB_ID" not in environ:
                    found.append(f"{process.pid} (of {process.ppid()}): {' '.join(process.cmdline())}")
        return found

    def until_told(self) -> Callable[[], None]:
        """Have runs log until what is given back is called: a test's steps take as long as they take."""
        told = self.seen.with_name("told")
        self.user.environ["UNTIL"] = str(told)
        return told.touch

    def await_end(self, timeout_s: float = 150) -> None:
        """Wait until the launch is over, and see that nothing of it is left: no job, no process."""
        self.wait(lambda: not self.cluster.jobs(), "an empty queue", timeout_s)
        self.wait(lambda: not self.cluster.processes_of(), "the end of all processes", 20)
        assert (self.directory.path / "result.json").exists()
        assert not (self.user.home / "server" / "job.json").exists()

    def result(self) -> dict[str, Any]:
        """Read how the launch ended."""
        result: dict[str, Any] = json.loads((self.directory.path / "result.json").read_text())
        return result

    def rows(self) -> dict[str, list[int]]:
        """Read the steps that each run has in its history."""
        status = self.user.status()
        runs = [run["id"] for run in status["runs"]]
        ask = (
            "import json, sys, wandb\n"
            "api = wandb.Api()\n"
            f"runs = {runs!r}\n"
            f"rows = {{r: [row['step'] for row in api.run('{status['sweep'].rpartition('/')[0]}/' + r).scan_history()]"
            " for r in runs}\n"
            "print('ROWS' + json.dumps(rows))\n"
        )
        out = self.user.python(ask, **self.user.sdk()).stdout
        rows: dict[str, list[int]] = json.loads(out.partition("ROWS")[2])
        return rows


@pytest.fixture
def here(user: User, cluster: SlurmCluster, tmp_path: Path) -> ClusterUser:
    """A user who runs short runs there."""
    seen = tmp_path / "seen"
    user.environ |= {**cluster.environ, "SEEN": str(seen), "STEPS": "3", "STEP_S": "0.1"}
    user.environ["PYTHONPATH"] += f":{user.folder}"
    return ClusterUser(user, cluster, seen)
