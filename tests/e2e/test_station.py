"""A worker away from its launch: a station on real orders, behind its relay, at a real server."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

import psutil
import pytest

import sweeper
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.station_state import StationState
from sweeper.launch.station import DIED, DONE, FAILED, PREEMPTED
from sweeper.ref import SweepRef
from sweeper.worker.spec import Rules, Slot, WorkerSpec
from tests.conftest import User, has_ended

pytestmark = [pytest.mark.e2e, pytest.mark.away, pytest.mark.timeout(300)]

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


def test_a_warned_station_saves_its_run_which_goes_on_in_the_next_one(away):
    """SIGUSR1 before Slurm's time limit, and the SIGTERM at it: the same run, without gap or repeat."""
    away.orders()
    station = away.start()
    away.wait_for(9)
    before = away.user.status()["runs"][0]["id"]
    station.send_signal(signal.SIGUSR1)
    station.send_signal(signal.SIGTERM)
    ended(station, PREEMPTED)
    assert away.said()[0] == "preempted"
    assert [(run["id"], run["state"]) for run in away.user.status()["runs"]] == [(before, "preempted")]
    away.user.wait(away.user.only_the_server_is_left, "all but the server to end", 10)
    away.user.write("go", "")
    ended(away.start(), DONE)
    assert away.user.status()["runs"][0]["id"] == before
    assert curves(away.user) == [list(range(20)), list(range(3))]


def test_a_sigterm_to_every_process_of_the_job_saves_the_run(away):
    """As Slurm sends it when a job is cancelled: to relay, forkserver, worker, run and wandb-core alike."""
    away.orders()
    station = away.start()
    away.wait_for(9)
    for process in [psutil.Process(station.pid), *psutil.Process(station.pid).children(recursive=True)]:
        process.send_signal(signal.SIGTERM)
    ended(station, PREEMPTED)
    away.user.write("go", "")
    ended(away.start(), DONE)
    assert curves(away.user) == [list(range(20)), list(range(3))]


def test_a_killed_worker_is_taken_up_and_replaced_by_its_own_station(away):
    """No launch is needed for it: it may be on its way to another node with the server."""
    away.orders()
    station = away.start()
    away.wait_for(9)
    (worker,) = [process.parent() for process in [away.user.run_process()]]
    worker.kill()
    away.user.write("go", "")
    ended(station, DONE)
    assert curves(away.user) == [list(range(20)), list(range(3))]
    assert away.launch.restarts("cpu0") == 1


def test_a_killed_station_takes_all_along_and_the_next_one_takes_its_run_up(away):
    """Kill -9, as a node's end: nothing is left on it, and the same orders finish the same runs elsewhere."""
    away.orders()
    station = away.start()
    away.wait_for(9)
    relay = psutil.Process(next(child.pid for child in away.user.processes("sweeper.worker.relay")))
    station.kill()
    away.user.wait(away.user.only_the_server_is_left, "all but the server to end", 10)
    assert has_ended(relay)
    assert away.said()[0] == "running"  # it could say nothing: its scheduler knows better
    away.user.write("go", "")
    ended(away.start(), DONE)
    assert curves(away.user) == [list(range(20)), list(range(3))]


def test_a_server_that_goes_on_elsewhere_costs_a_run_under_way_nothing(away):
    """The relay's address stays; whoever was killed beside it, the relay too, is started again."""
    away.orders()
    station = away.start()
    away.wait_for(9)
    away.user.processes("sweeper.worker.relay")[0].kill()
    away.user.run("server", "stop")
    (away.user.home / "server" / "last-port").unlink()
    away.user.write("go", "")
    away.user.run("status")
    ended(station, DONE)
    assert curves(away.user) == [list(range(20)), list(range(3))]
    assert [attempt.attempt for attempt in away.launch.attempts().values()] == [1, 1]


def test_a_server_that_never_answers_is_told(away):
    """In the worker's log and beside it; what was waited for stands there meanwhile."""
    away.orders()
    away.user.run("server", "stop")
    station = away.start()
    away.user.wait(lambda: "no server of" in away.said()[1], "the station to say for whom it waits")
    away.launch.end("enough")
    ended(station, DONE)
    code = "import sys; from pathlib import Path; from sweeper.launch.station import work;"
    code += " from sweeper.settings import Settings; env = Settings.from_env().environ;"
    code += " sys.exit(work(Path(sys.argv[1]), env, native_id='7', node='n1', server_within_s=1.0))"
    (away.launch.path / "end").unlink()
    ended(away.user.script("-c", code, away.launch.spec("cpu0")), FAILED)
    state, why = away.said()
    assert state == "failed"
    assert "server answers on n1, for 1 s" in why
    assert why in away.launch.worker_log("cpu0").read_text()


def test_a_worker_that_is_killed_again_and_again_is_told_to_have_died(away):
    """Its job has something wrong with it; its run waits for another slot."""
    away.user.write(
        "toy.py", "import os, signal\n\ndef train():\n    os.kill(os.getppid(), signal.SIGKILL)\n    signal.pause()\n"
    )
    away.orders(rules=Rules(retries=10))
    ended(away.start(), DIED)
    state, why = away.said()
    assert state == "died"
    assert "killed again and again" in why


def test_a_trainer_that_cannot_be_imported_is_told(away):
    """As a launch tells it: the reason ends the launch."""
    away.user.write("toy.py", "raise OSError('no data here')\n")
    away.orders()
    ended(away.start(), FAILED)
    assert "no data here" in away.said()[1]
