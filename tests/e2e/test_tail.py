"""The end of a launch: what the last moment brings is there when the prompt comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

TOY = """
import pathlib, time, wandb

ENDED = pathlib.Path("ended")

def train():
    with wandb.init() as run:
        x = run.config.x
        while x == 3 and len(list(ENDED.iterdir())) < 2:  # the winner comes last
            time.sleep(0.1)
        model = pathlib.Path(run.dir) / "model.onnx"
        model.write_text(f"model {x}")
        run.save(str(model), base_path=run.dir)
        run.log({"score": x})
    (ENDED / str(x)).touch()
"""
GRID = {"method": "grid", "metric": {"name": "score", "goal": "maximize"}, "parameters": {"x": {"values": [3, 1, 2]}}}


@pytest.mark.long
def test_the_model_of_a_winner_that_comes_last_is_here(user):
    """It is the one that the other slot, which had no run any more, did not wait for."""
    user.write("toy.py", TOY)
    (user.folder / "ended").mkdir()
    user.run("create", user.write("sweep.json", json.dumps(GRID)))
    ended = user.run("launch", "--trainer", "toy:train", "--workers", "2")
    assert "3/3 done" in ended.stderr
    status = user.status()
    assert status["state"] == "finished"
    assert status["best"]["params"] == {"x": 3}
    assert Path(status["model"]).read_text() == "model 3"
