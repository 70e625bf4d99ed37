"""`sweeper worker`: machines that share nothing but a server, and what becomes of their count when one is lost."""

from __future__ import annotations

import json
import signal

import pytest

from tests.conftest import User, clean_environ

pytestmark = [pytest.mark.e2e, pytest.mark.away, pytest.mark.timeout(600)]

TOY = """
import time, wandb

def train():
    with wandb.init() as run:
        for step in range(10):
            run.log({"loss": run.config.x + step})
            time.sleep(0.1)
"""
SWEEP = """
program: toy:train
method: random
run_cap: 12
metric: {name: loss}
parameters: {x: {min: 0.0, max: 1.0}}
"""
SHIPPED = """
method: grid
metric: {name: val_accuracy, goal: maximize}
parameters: {dataset: {value: digits}, kernels: {value: [8, 16]}, epochs: {value: 8}, seed: {values: [1, 2, 3]}}
"""
HISTORIES = """
import json, wandb
KEYS = ["epoch", "_step", "val_accuracy"]
runs = wandb.Api().runs("local/sweeper")
rows = {run.id: [[row["epoch"], row["_step"]] for row in run.scan_history(keys=KEYS)] for run in runs}
print(json.dumps(rows))
"""


@pytest.fixture
def head(user):
    """Who has the server, which bears six seconds of silence."""
    user.start("serve", "--data", user.home / "server", "--heartbeat-timeout", "6")
    user.wait(lambda: user.start("server", "status").wait() == 0, "the server")
    return user


@pytest.fixture
def machines(head, tmp_path):
    """Two machines with nothing on them; they stand in a copy of the same project."""
    made = []
    for name in ("a", "b"):
        home = tmp_path / name
        home.mkdir()
        made.append(User(head.folder, home, clean_environ(home)))
    yield made
    for machine in made:
        machine.end()


def options(head) -> list[object]:
    """Name the server and its key, as a person does on another machine."""
    return ["--server", head.sdk()["WANDB_BASE_URL"], "--key-file", head.home / "server" / "api-key", "--workers", "1"]


def create(head, text: str) -> str:
    """Make a sweep; give its id."""
    if "toy:" in text:
        head.write("toy.py", TOY)
    return str(head.told("create", head.write("sweep.yaml", text))["sweep"])


def ended(machine, process) -> tuple[str, str]:
    """Wait for the good end of a launch; what it said."""
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stdout + stderr + machine.logs()
    return stdout, stderr


def states(head) -> list[str]:
    """Read the states of all runs of the sweep."""
    return [run["state"] for run in head.status()["runs"]]


def test_a_count_is_exact_over_machines_that_share_no_folder(head, machines):
    """Seven of twelve runs, whoever makes them; who comes later finds nothing to do, and another group has its own."""
    sweep, how = create(head, SWEEP), [*options(head), "--count", 7]
    started = [machine.start("worker", sweep, *how) for machine in machines]
    said = [ended(machine, process)[1] for machine, process in zip(machines, started, strict=True)]
    assert states(head) == ["finished"] * 7
    assert all("7 runs over all machines of group worker" in words for words in said)
    assert all(f"server: {head.sdk()['WANDB_BASE_URL']} (sweeper's server)" in words for words in said)
    parts = [len(list(machine.home.glob("sweeps/**/runs/*-0*.log"))) for machine in machines]
    assert min(parts) > 0
    late = machines[0].told("worker", sweep, *how)
    assert (late["ok"], late["runs"]) == (True, [])
    more = machines[1].run("worker", sweep, *options(head), "--count", 2, "--group", "tomorrow")
    assert "2 runs over all machines of group tomorrow" in more.stderr
    assert states(head) == ["finished"] * 9


def test_the_runs_of_a_lost_machine_are_the_others_and_count_once(head, machines):
    """Kill -9 of everything on a machine, in the middle of a run of the shipped trainer, whose checkpoint is lost too.

    The run begins anew elsewhere: its curve has every epoch once.
    """
    sweep, how = create(head, SHIPPED), [*options(head), "--count", 2]
    lost, other = machines
    lost.start("worker", sweep, *how)
    lost.wait(lambda: list(lost.home.glob("sweeps/**/checkpoints/*/checkpoint.pt")), "a checkpoint", 120)
    (checkpoint,) = lost.home.glob("sweeps/**/checkpoints/*/checkpoint.pt")
    for process in lost.processes():
        process.kill()
    ended(other, other.start("worker", sweep, *how))
    rows = json.loads(head.python(HISTORIES, **head.sdk()).stdout.splitlines()[-1])
    assert checkpoint.parent.name in rows
    assert [[epoch for epoch, _ in run] for run in rows.values()] == [list(range(1, 9))] * 2
    assert all([step for _, step in run] == sorted({step for _, step in run}) for run in rows.values())
    assert states(head) == ["finished"] * 2
    # who comes back finds that others have done its work
    again = ended(lost, lost.start("worker", sweep, *how))
    assert "no run was left for this machine" in again[1]
    assert states(head) == ["finished"] * 2


def test_a_machine_without_work_takes_over_the_runs_of_one_that_is_lost(head, machines):
    """It has been told of no run that is free, and stays: the other one may be lost in its last run."""
    sweep, how = create(head, SWEEP), [*options(head), "--count", 1]
    head.write("toy.py", TOY.replace("range(10)", "range(3000)"))
    lost, other = machines
    lost.start("worker", sweep, *how)
    lost.wait(lambda: [run for run in head.status()["runs"] if run["last"]], "a run that logs")
    head.write("toy.py", TOY)
    waiting = other.start("worker", sweep, *how)
    other.wait(lambda: list(other.home.glob("sweeps/**/runs/*-0001.log")), "a worker that asks")
    for process in lost.processes():
        process.kill()
    ended(other, waiting)
    assert states(head) == ["finished"]


def test_a_machine_that_is_taken_away_leaves_its_run_to_the_others(head, machines):
    """SIGTERM, as Slurm and Kubernetes send it: the run is marked, and goes on elsewhere at once; nothing is left."""
    sweep, how = create(head, SWEEP), [*options(head), "--count", 2]
    head.write("toy.py", TOY.replace("range(10)", "range(3000)"))
    leaving, staying = machines
    process = leaving.start("worker", sweep, *how, "--grace", 5)
    leaving.wait(lambda: [run for run in head.status()["runs"] if run["last"]], "a run that logs")
    head.write("toy.py", TOY)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert states(head) == ["preempted"]
    assert leaving.processes() == []
    ended(staying, staying.start("worker", sweep, *how))
    assert states(head) == ["finished"] * 2
