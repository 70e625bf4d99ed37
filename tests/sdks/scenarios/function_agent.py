"""A sweep whose runs a function agent makes, and what `wandb.Api()` reads of it."""

import json

import wandb
from loaded import loaded


def train():
    """Log three values."""
    with wandb.init() as run:
        for step in range(3):
            wandb.log({"loss": run.config["n"] / (step + 1)})


metric = {"name": "loss", "goal": "minimize"}
parameters = {"n": {"values": [9, 1, 4]}, "net": {"parameters": {"depth": {"value": 2}}}}
definition = {"method": "grid", "name": "mine", "metric": metric, "parameters": parameters}
sweep_id = wandb.sweep(definition, project="p")
wandb.agent(sweep_id, function=train, project="p")
sweep = wandb.Api().sweep(f"p/{sweep_id}")
(best,) = loaded([sweep.best_run()])
found = {
    "sweep": [sweep.id, sweep.state, sweep.config["method"], len(sweep.runs)],
    "runs": sorted([run.config["n"], run.state, round(run.summary["loss"], 6)] for run in loaded(sweep.runs)),
    "best": [best.config["n"], best.config["net"], best.sweep.id],
}
assert found["sweep"][0] == sweep_id == found["best"][2]
print(json.dumps(found))
