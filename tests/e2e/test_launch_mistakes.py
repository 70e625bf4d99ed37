"""What a launch tells of other launches, of its server, and of what somebody does to its sweep."""

from __future__ import annotations

import json
import subprocess

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

TOY = """
import os, time, wandb

def train():
    with wandb.init() as run:
        run.log({"loss": run.config.x})
        while not os.path.exists("go"):
            time.sleep(0.1)
"""
GRID = "method: grid\nprogram: toy:train\nmetric: {name: loss}\nparameters: {x: {values: [1, 2, 3, 4, 5]}}\n"
GPUS = ("driver|570.86|12080", "gpu|GPU-1aaa|H100|81559|4|-|-|0", "gpu|GPU-2bbb|H100|81559|4|-|-|0")


def hear(launch: subprocess.Popen[str], words: str) -> str:
    """Listen to a launch until it says something; give that line."""
    assert launch.stderr is not None
    said = []
    for line in launch.stderr:
        said.append(line)
        if words in line:
            return line
    raise AssertionError(f"never said {words!r}: {''.join(said)}")


def test_two_launches_never_hold_one_gpu_by_accident(user, nvml):
    """A named one that is held is refused, the free one is taken; a launch that was killed holds nothing."""
    user.write("toy.py", TOY)
    user.run("create", user.write("grid.yaml", GRID))
    environ = nvml.set(*GPUS)
    first = user.start("launch", "--gpus", "0", **environ)
    hear(first, "running: x=1")
    refused = user.run("launch", "--gpus", "0,1", code=1, **environ).stderr
    assert f"another launch of this machine holds gpu0 by process {first.pid} (sweep local/sweeper/" in refused
    assert "--share" in refused
    second = user.start("launch", **environ)
    assert " on gpu1: " in hear(second, "launching")
    assert f"gpu0 is left out: it is held by process {first.pid}" in hear(second, "left out")
    hear(second, "running: x=2")
    full = user.run("launch", "--detach", code=1, **environ).stderr
    assert f"gpu0 by process {first.pid}" in full
    assert f"gpu1 by process {second.pid}" in full
    psutil.Process(first.pid).kill()
    first.wait()
    third = user.start("launch", "--gpus", "0", **environ)
    assert " on gpu0: " in hear(third, "launching")
    user.write("go", "")
    for launch in (second, third):
        launch.communicate(timeout=120)
        assert launch.returncode == 0, user.logs()


def test_a_launch_tells_what_happens_around_it(user):
    """A server that was killed and is back, and a sweep that somebody paused, resumed and stopped."""
    user.write("toy.py", TOY)
    user.run("create", user.write("grid.yaml", GRID))
    launch = user.start("launch", "--workers", "1")
    hear(launch, "running: x=1")
    server = json.loads((user.home / "server" / "server.json").read_text())
    psutil.Process(server["pid"]).kill()
    hear(launch, "nobody answers at http://127.0.0.1:")
    status = user.status()  # it starts the server again, at its address
    assert (status["state"], status["idle"]) == ("running", False)
    hear(launch, "the server answers again")
    user.run("pause")
    hear(launch, "the sweep was paused")
    beside = user.start("launch", "--workers", "1", "--count", "1")
    assert "workers wait and do nothing until `sweeper resume" in hear(beside, "the sweep is paused")
    beside.terminate()
    beside.communicate(timeout=60)
    user.run("resume")
    hear(launch, "the sweep goes on")
    user.run("stop")
    user.write("go", "")
    hear(launch, "the sweep was stopped: ")
    launch.communicate(timeout=120)
    assert launch.returncode == 0
    assert "was stopped: 1 of its 5 runs are done" in user.run("launch", code=1).stderr
    user.run("resume")
    assert user.status()["idle"] is True
    assert "idle (running, but nobody works on it): sweeper launch" in user.run("status").stdout


def test_a_detached_launch_that_breaks_at_once_is_told_in_the_terminal(user):
    """A trainer that cannot be imported by the worker shows only there, seconds after the launch has begun."""
    # only a worker has this variable: what looks at the trainer before that finds it sound
    user.write("toy.py", "import os\n\nif os.environ.get('OMP_WAIT_POLICY'):\n    import nothing_like_this\n" + TOY)
    user.run("create", user.write("grid.yaml", GRID))
    said = user.run("launch", "--workers", "1", "--detach", code=1).stderr
    assert "the launch ended at once: " in said
    assert "No module named 'nothing_like_this'" in said
