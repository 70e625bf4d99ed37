"""A sweep with Hyperband: of its runs the one that is worse ends early."""

import json
import time

import wandb
from loaded import loaded


def train():
    """Log one value three times, or for a quarter of a minute where n is 50: its rung is the third."""
    with wandb.init() as run:
        for _ in range(29 if run.config["n"] == 50 else 3):
            run.log({"loss": max(run.config["n"], 10)})
            time.sleep(0.5)


sweep_id = wandb.sweep(
    {
        "method": "grid",
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {"n": {"values": [1, 2, 50]}},
        "early_terminate": {"type": "hyperband", "min_iter": 3, "eta": 10},
    },
    project="p",
)
wandb.agent(sweep_id, function=train, project="p")
sweep = wandb.Api().sweep(f"p/{sweep_id}")
runs = sorted(loaded(sweep.runs), key=lambda run: run.config["n"])
rows = [len(list(run.scan_history(keys=["loss"]))) for run in runs]
print(json.dumps({"sweep": sweep.state, "states": [run.state for run in runs], "rows": rows}))
