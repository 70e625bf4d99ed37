"""`sweeper launch --stop-at-target`."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TOY = """
import os, pathlib, time, wandb

HOME = pathlib.Path(os.environ["SWEEPER_HOME"])

def train():
    with wandb.init(settings=wandb.Settings(x_file_stream_transmit_interval=1)) as run:
        run.log({"loss": float(run.config.x)})
        if run.config.x == 2:
            deadline = time.monotonic() + 60
            while not list(HOME.glob("sweeps/**/launches/*/end")) and time.monotonic() < deadline:
                time.sleep(0.1)
            run.log({"loss": 2.5})
"""
SWEEP = """
method: grid
metric: {name: loss, goal: minimize%s}
parameters: {x: {values: [3, 2, 1, 0]}}
"""


@pytest.mark.long
def test_a_launch_ends_at_the_target(user):
    """The run that reaches it while it trains still finishes, no other one starts; without a target it is refused."""
    user.write("toy.py", TOY)
    user.run("create", user.write("sweep.yaml", SWEEP % ""))
    assert "no target" in user.run("launch", "--trainer", "toy:train", "--stop-at-target", code=1).stderr
    user.run("create", user.write("sweep.yaml", SWEEP % ", target: 2"))
    launched = user.run("launch", "--trainer", "toy:train", "--workers", "1", "--stop-at-target")
    assert "a run has reached the target" in launched.stderr + launched.stdout
    runs = user.status()["runs"]
    assert [(run["params"]["x"], run["state"], run["last"]) for run in runs] == [
        (3, "finished", 3.0),
        (2, "finished", 2.5),
    ]
