"""A trainer for `wandb agent`: says how it was called, logs, watches a model, and ends. TORCH: where PyTorch lies.

Where n is 3 it goes on until there is a file `go`, so that the sweep is under way when it is paused.
"""

import os
import pathlib
import sys
import time

import wandb

with wandb.init() as run:
    assert sys.argv[1:] == [f"--n={run.config['n']}", "more"], sys.argv
    if os.environ.get("TORCH"):
        sys.path.append(os.environ["TORCH"])
        import torch

        model = torch.nn.Linear(4, 1)
        wandb.watch(model, log="all", log_freq=1)
    for step in range(50 if run.config["n"] == 3 else 2):
        if os.environ.get("TORCH") and step < 2:
            model(torch.ones(8, 4)).mean().backward()
        run.log({"loss": step * run.config["n"]})
        print("step", step, "of", run.id)
    while run.config["n"] == 3 and not pathlib.Path("go").exists():
        time.sleep(0.1)
    print("trained", file=sys.stderr)
