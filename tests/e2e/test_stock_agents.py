"""Stock agents whose trainer ends before `wandb.init` for some configurations: the others run, and the sweep ends."""

from __future__ import annotations

import json
import threading

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"x": {"values": [0, 1, 2, 3, 4, 5]}}}
FUNCTION = """
import json, os, wandb, yaml

def train():
    with open(os.environ["WANDB_SWEEP_PARAM_PATH"]) as file:
        x = yaml.safe_load(file)["x"]["value"]
    with open("function.txt", "a") as starts:
        starts.write(f"{x} ")
    if x in {1, 4}:
        raise ValueError(f"{x} cannot be")
    with wandb.init() as run:
        run.log({"loss": x})

wandb.agent("THIS", function=train, project="p")
print(json.dumps("done"))
"""
SCRIPT = """
import argparse, wandb

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=int)
x = parser.parse_args().x
with open("script.txt", "a") as starts:
    starts.write(f"{x} ")
if x in {1, 4}:
    parser.error(f"{x} cannot be")
with wandb.init() as run:
    run.log({"loss": x})
"""
RESULT = """
import json, wandb
sweep = wandb.Api().sweep("p/THIS")
reasons = [run.summary["_sweeper"]["reason"] for run in sweep.runs if run.state == "failed"]
print(json.dumps([sweep.state, sorted([run.config["x"], run.state] for run in sweep.runs), reasons]))
"""


def test_trainers_that_end_before_init_fail_once_and_the_rest_of_the_grid_runs(user, sdk):
    """Function and script alike: four have finished, two have failed with the reason, each was tried once."""
    user.write("train.py", SCRIPT)
    create = "import json, wandb; print(json.dumps([wandb.sweep(d, project='p') for d in {}]))"
    function, script = sdk.says(create.format([GRID, {**GRID, "program": "train.py"}]))
    beside = threading.Thread(target=sdk.wandb, args=("agent", f"p/{script}"))
    beside.start()
    sdk.says(FUNCTION.replace("THIS", function))
    beside.join()
    states = [[x, "failed" if x in {1, 4} else "finished"] for x in range(6)]
    for sweep, starts in ((function, "function.txt"), (script, "script.txt")):
        found = sdk.says(RESULT.replace("THIS", sweep))
        assert found == ["FINISHED", states, ["the trainer ended before wandb.init"] * 2]
        assert (user.folder / starts).read_text().split() == list("012345")
    status = json.loads(user.run("status", f"local/p/{script}", "--json", code=0).stdout)
    assert [run["state"] for run in status["runs"]].count("failed") == 2
