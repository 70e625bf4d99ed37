"""A sweep file with two metrics through `create`, `launch`, `status` and `best`."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

TRAINER = """
import pathlib
import wandb

def train():
    with wandb.init() as run:
        x = run.config["x"]
        run.log({"loss": 9.0, "size": 9.0})
        run.log({"loss": (1 - x) ** 2, "size": x if x < 0.9 else float("nan")})
        pathlib.Path(run.dir, "model.txt").write_text("weights")
"""
SWEEP = """
method: custom
program: toy:train
run_cap: 3
metrics: [{name: loss}, {name: size, goal: minimize}]
parameters: {x: {values: [0.1, 0.8, 1.0]}}
"""


def test_status_and_best_show_the_front(user):
    """Every value of x trades one metric for the other, but the one without a size; the last values count."""
    user.write("toy.py", TRAINER)
    user.run("create", user.write("sweep.yaml", SWEEP))
    user.run("launch", "--workers", 1)
    status = user.status()
    assert (status["state"], status["metrics"], status["best"]) == (
        "finished",
        {"loss": "minimize", "size": "minimize"},
        None,
    )
    assert [run["params"]["x"] for run in status["front"]] == [0.8, 0.1]
    assert [run["values"]["size"] for run in status["front"]] == [0.8, 0.1]
    (lacking,) = [run for run in status["runs"] if run["params"]["x"] == 1.0]
    assert lacking["reason"] == "finished without a value of `size`"
    shown = user.run("status").stdout
    assert "loss ↓" in shown
    assert max(map(len, shown.split("front")[-1].splitlines())) <= 80
    first = json.loads(user.run("best", "--json").stdout)["front"][0]
    assert first["values"]["loss"] == pytest.approx(0.04)
    chosen = json.loads(user.run("best", "--run", first["id"], "--json").stdout)
    assert (chosen["run"], chosen["values"], chosen["config"]["x"]) == (first["id"], first["values"], 0.8)
    assert "choose one" in user.run("best", "--download", user.folder / "model", code=1).stderr
