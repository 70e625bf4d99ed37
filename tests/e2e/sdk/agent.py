"""A sweep with a function agent, one of whose runs is stopped from elsewhere. Runs with 0.29.0 and 0.31.0."""

import json
import os
import subprocess
import sys
import time

import wandb

STOP = """
import sys, time, wandb
while not [run for run in wandb.Api().runs("fn", filters={"sweep": sys.argv[1]}) if run.summary.get("loss", 0) > 0]:
    time.sleep(0.3)
wandb.Api().runs("fn", filters={"sweep": sys.argv[1]})[0].stop()
"""


def train():
    """Log for a minute where n is 9, else three values."""
    with wandb.init() as run:
        for step in range(600 if run.config.n == 9 else 3):
            run.log({"loss": step * run.config.n})
            time.sleep(0.1)


metric = {"name": "loss", "goal": "minimize"}
parameters = {"n": {"values": [9, 1]}, "net": {"parameters": {"depth": {"value": 2}}}}
sweep_id = wandb.sweep({"method": "grid", "metric": metric, "parameters": parameters}, project="fn")
alone = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
stopper = subprocess.Popen([sys.executable, "-c", STOP, sweep_id], env=alone)
wandb.agent(sweep_id, function=train, project="fn")
stopper.wait()

sweep = wandb.Api().sweep(f"fn/{sweep_id}")
stopped, whole = sorted(sweep.runs, key=lambda run: run.config["n"], reverse=True)
agents = [[agent.state, agent.total_runs, sorted(run.id for run in agent.runs())] for agent in sweep.agents()]
found = {
    "sweep": [sweep.state, sweep.expected_run_count, sweep.config["method"]],
    "stopped": [stopped.state, stopped.summary["_sweeper"]["reason"], 0 < stopped.lastHistoryStep < 500],
    "whole": [whole.state, whole.config["net"], whole.summary["loss"]],
    "agents": [[state, total, ids == sorted([stopped.id, whole.id])] for state, total, ids in agents],
    "sweeps": [sweep.id for sweep in wandb.Api().project("fn").sweeps()] == [sweep_id],
    "best": sweep.best_run().config["n"],
}
print(json.dumps(found))
