"""A trainer for `wandb agent`: says how it was called, logs, and ends."""

import sys
import time

import wandb

with wandb.init() as run:
    assert sys.argv[1:] == [f"--n={run.config['n']}", "more"], sys.argv
    for step in range(50 if run.config["n"] == 3 else 2):
        run.log({"loss": step * run.config["n"]})
        time.sleep(0.1)
