"""The trainer of the sweep that the browser's tests look at: quick, and every kind of end and of logged value."""

import math
import os
import signal
import sys
import time
from pathlib import Path

import wandb


def train():
    with wandb.init() as run:
        config = run.config
        taken = Path("taken.txt")
        if config["optimizer"] == "sgd" and not taken.exists():
            taken.touch()
            os.kill(os.getpid(), signal.SIGTERM)  # as if its machine was taken: it is handed out again
            time.sleep(60)
        if config["units"] == 7:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
        run.define_metric("val/*", step_metric="epoch")
        print(f"\x1b[1;32mrun\x1b[0m {run.name} \x1b[38;5;208mlearning\x1b[0m at {config['lr']:.2e}")
        print("a warning of the trainer", file=sys.stderr)
        far = abs(math.log10(config["lr"]) + 2.5) + abs(config["dropout"] - 0.2)
        for epoch in range(9):
            for batch in range(3):
                run.log({"train/loss": far + 1 / (1 + 3 * epoch + batch), "epoch": epoch})
            # wandb-core sends every 15 s what was logged: a bad run that took less would have ended before its stop
            time.sleep(0.1 if far < 1.2 else 2.5)
            run.log(
                {"val/loss": far + 1 / (1 + epoch), "val/accuracy": 1 / (1 + far + 1 / (1 + epoch)), "epoch": epoch}
            )
        run.summary["size"] = config["units"] * 10
        model = Path(run.dir, "model.onnx")
        model.write_bytes(b"a model of " + run.id.encode())
        run.save(model, base_path=run.dir)


def trade():
    """Two metrics of which no run has the best of both."""
    with wandb.init() as run:
        x = run.config["x"]
        run.log({"loss": (1 - x) ** 2, "size": x})
