"""`sweeper launch --on ray` on a real cluster: a sweep over two nodes, a node that is lost, and what cannot be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.conftest import User, command_of
from tests.ray.conftest import NODE

pytestmark = [pytest.mark.ray, pytest.mark.timeout(400)]

TRAINER = """
import json, os, time, wandb

def train():
    with wandb.init() as run:
        began = time.time()
        for step in range(8):
            run.log({"loss": run.config.x * step})
            time.sleep(0.5)
        seen = {"device": os.environ["CUDA_VISIBLE_DEVICES"], "began": began, "ended": time.time()}
        with open(f"{run.id}.{os.getpid()}.seen", "w") as file:
            json.dump(seen, file)
"""
SWEEP = """
method: grid
metric: {name: loss}
parameters: {x: {values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}}
"""


@pytest.fixture
def two_nodes(ray_cluster) -> Iterator[object]:
    """The cluster, which has its two nodes again when the test has taken one."""
    yield ray_cluster
    while not ray_cluster.worker_nodes:
        ray_cluster.add_node(**NODE)


@pytest.fixture
def sweep(user) -> User:
    """A user with a sweep of twelve runs."""
    user.write("toy.py", TRAINER)
    user.run("create", user.write("sweep.yaml", SWEEP))
    return user


def launch(address: str, *options: str) -> tuple[str, ...]:
    return ("launch", "--on", "ray", "--address", address, "--trainer", "toy:train", *options)


def seen(user: User) -> list[dict[str, object]]:
    return [json.loads(file.read_text()) for file in user.folder.glob("*.seen")]


def at_once(runs: list[dict[str, object]]) -> int:
    """Count how many of them ran at the same time, at most."""
    return max(sum(one["began"] <= run["began"] < one["ended"] for one in runs) for run in runs)


def nothing_is_left(user: User) -> None:
    user.wait(user.only_the_server_is_left, "the end of all processes")
    held = [process for process in psutil.process_iter() if "StationActor" in command_of(process)]
    assert held == []


def test_a_count_is_exact_though_a_node_is_lost(sweep, two_nodes):
    """Two nodes of two GPUs; one of them goes in the middle. Its runs go on with the others, and each is had once."""
    process = sweep.start(*launch(two_nodes.address, "--gpus", "4", "--count", "10"))
    sweep.wait(lambda: len(seen(sweep)) >= 3, "the first runs", timeout_s=180)
    two_nodes.remove_node(next(iter(two_nodes.worker_nodes)), allow_graceful=False)
    said = process.communicate(timeout=240)
    assert process.returncode == 0, "\n".join(said)
    runs = sweep.status()["runs"]
    assert [run["state"] for run in runs] == ["finished"] * 10
    assert {one["device"] for one in seen(sweep)} == {"0", "1"}
    for device in ("0", "1"):
        assert at_once([one for one in seen(sweep) if one["device"] == device]) <= 2  # each is on two nodes
    nothing_is_left(sweep)


def test_runs_may_share_a_gpu_and_a_stop_is_gentle(sweep, two_nodes):
    """Fractions place them; Ctrl-C lets runs send what they have, and ends all on every node."""
    process = sweep.start(*launch(two_nodes.address, "--gpus", "1", "--per-gpu", "2"))
    sweep.wait(lambda: len(sweep.status()["runs"]) >= 2, "two runs", timeout_s=180)
    time.sleep(1.0)  # not a moment ago: they have logged
    process.send_signal(2)
    assert process.wait(120) != -2
    status = sweep.status()
    assert {run["state"] for run in status["runs"]} <= {"preempted", "finished", "pending", "waiting"}, status["runs"]
    nothing_is_left(sweep)


def test_a_launch_that_is_killed_leaves_nothing(sweep, two_nodes):
    """Its actors belong to it: Ray ends them, and each ends its station. The next launch takes their runs up."""
    process = sweep.start(*launch(two_nodes.address, "--workers", "2"))
    sweep.wait(lambda: len(sweep.status()["runs"]) >= 2, "two runs", timeout_s=180)
    process.kill()
    nothing_is_left(sweep)
    before = finished(sweep)  # a run that was quicker than the kill is none of the next launch's
    sweep.run(*launch(two_nodes.address, "--workers", "4", "--count", "4"))
    assert finished(sweep) == before + 4
    nothing_is_left(sweep)


def finished(sweep) -> int:
    return len([run for run in sweep.status()["runs"] if run["state"] == "finished"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--gpus", "6"], "--gpus 6: the Ray cluster has 4 GPUs"),
        (["--gpus", "3", "--gpus-per-run", "3"], "has 4 GPUs, enough for 0 runs of 3 GPUs on one node each"),
        (["--workers", "99"], "the Ray cluster has 8 CPUs"),
        (["--workers", "1", "--address", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_left(sweep, two_nodes, options, says):
    """In seconds, with what the cluster has; no launch was begun."""
    error = sweep.error(*launch(two_nodes.address, *options))
    assert says in error["message"]
    assert error["hint"]
    assert not [*sweep.home.glob("sweeps/*/*/*/launches/*")]
