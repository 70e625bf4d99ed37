"""A function agent one of whose runs is stopped from elsewhere; it goes on with the others."""

import json
import os
import subprocess
import sys
import time

import wandb
from loaded import loaded

STOP = """
import sys, time, wandb
while True:
    runs = [run for run in wandb.Api().runs("p", filters={"sweep": sys.argv[1]}) if run.summary.get("loss", 0) > 0]
    if runs:
        break
    time.sleep(0.3)
api = wandb.Api()
if hasattr(runs[0], "stop"):
    runs[0].stop()
else:  # before 0.31 only the pages had the button
    from wandb.apis.internal import Api
    Api().stop_run(runs[0].storage_id)
"""


def train():
    """Log for a minute where n is 9, else three values."""
    with wandb.init() as run:
        for step in range(600 if run.config["n"] == 9 else 3):
            run.log({"loss": step * run.config["n"]})
            time.sleep(0.1)


metric = {"name": "loss", "goal": "minimize"}
sweep_id = wandb.sweep({"method": "grid", "metric": metric, "parameters": {"n": {"values": [9, 1]}}}, project="p")
alone = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_SERVICE", "_WANDB"))}
stopper = subprocess.Popen([sys.executable, "-c", STOP, sweep_id], env=alone)
wandb.agent(sweep_id, function=train, project="p")
assert stopper.wait() == 0
sweep = wandb.Api().sweep(f"p/{sweep_id}")
stopped, whole = sorted(loaded(sweep.runs), key=lambda run: run.config["n"], reverse=True)
found = {
    "sweep": sweep.state,
    "stopped": [stopped.state, 0 < stopped.lastHistoryStep < 500],
    "whole": [whole.state, whole.summary["loss"]],
}
print(json.dumps(found))
