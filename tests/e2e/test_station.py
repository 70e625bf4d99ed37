"""A worker away from its launch: a station on real orders, behind its relay, at a real server."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

import sweeper
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.station_state import StationState
from sweeper.launch.station import DONE
from sweeper.ref import SweepRef
from sweeper.worker.spec import Rules, Slot, WorkerSpec
from tests.conftest import User

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

TOY = """
import os, pathlib, time, wandb

def train():
    file = pathlib.Path(os.environ["SWEEPER_CHECKPOINT_DIR"], "step")
    first = int(file.read_text()) if file.exists() else 0
    with wandb.init() as run:
        for step in range(first, 20 if run.config.x == 1 else 3):
            while step == 10 and not os.path.exists("go"):
                time.sleep(0.1)
            run.log({"loss": step})
            file.write_text(str(step + 1))
"""
HISTORY = """
import json, wandb
runs = wandb.Api().runs("local/sweeper", order="+created_at")
print(json.dumps([[row["loss"] for row in run.scan_history(keys=["loss"])] for run in runs]))
"""


@dataclass
class Away:
    """A launch whose workers are elsewhere.

    Attributes:
        user: Whose it is.
        launch: Its folder.
    """

    user: User
    launch: LaunchDir

    def orders(self, slot: str = "cpu0", **more) -> WorkerSpec:
        """Write the orders of a slot."""
        spec = WorkerSpec(
            sweep=SweepDir.of_launch(self.launch).ref.path,
            trainer="toy:train",
            slot=Slot(name=slot, device="", threads=1),
            directory=str(self.launch.path),
            environ={"WANDB_DIR": str(SweepDir.of_launch(self.launch).wandb), "WANDB_QUIET": "true"},
            server=str(self.user.home / "server"),
            version=sweeper.__version__,
            **{"count": 2, "rules": Rules(grace_s=20), **more},
        )
        spec.save(self.launch.spec(slot))
        return spec

    def start(self, slot: str = "cpu0", **environ: str):
        """Start a station on the orders of a slot."""
        return self.user.script("-m", "sweeper.launch.station", self.launch.spec(slot), **environ)

    def said(self, slot: str = "cpu0") -> tuple[str, str]:
        """Read what it says of itself: state and reason."""
        said = StationState.read(self.launch.station(slot))
        return (said.state, said.why) if said else ("", "")

    def wait_for(self, last: int) -> None:
        """Wait until the first run has logged a value."""
        self.user.wait(lambda: [run for run in self.user.status()["runs"] if run["last"] == last], f"loss {last}")


@pytest.fixture
def away(user) -> Away:
    """A launch of two runs, of which the first waits at its tenth step until there is a file `go`."""
    user.write("toy.py", TOY)
    text = "method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1, 2]}}\n"
    path = user.told("create", user.write("sweep.yaml", text))["sweep"]
    directory = SweepDir.of(user.home, SweepRef.parse(path))
    directory.wandb.mkdir(parents=True, exist_ok=True)
    return Away(user, directory.new_launch())


def curves(user: User) -> list[list[int]]:
    return json.loads(user.python(HISTORY, **user.sdk()).stdout.splitlines()[-1])


def ended(station, code: int) -> None:
    stdout, stderr = station.communicate(timeout=150)
    assert station.returncode == code, stdout + stderr


def test_a_station_does_what_a_launch_does_for_its_own_workers(away):
    """Its runs finish, on the cores of its own job; nothing but the server is left."""
    away.user.write("go", "")
    away.orders()
    ended(
        away.start(SLURM_CPUS_PER_TASK="1", SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID="2", SLURMD_NODENAME="n0"), DONE
    )
    assert curves(away.user) == [list(range(20)), list(range(3))]
    said = StationState.read(away.launch.station("cpu0"))
    assert (said.state, said.native_id, said.node) == ("done", "7_2", "n0")
    away.user.wait(away.user.only_the_server_is_left, "all but the server to end", 10)
