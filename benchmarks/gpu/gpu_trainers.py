"""The trainers of `benchmarks/gpu/checks.py`: each asks its device one thing; on a machine without a GPU, the CPU."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

GIB = 2**30


def pin() -> None:
    """Tell which device this run was given, and which one CUDA shows it."""
    import torch
    import wandb

    with wandb.init() as run:
        seen, devices = "cpu", 0
        if torch.cuda.is_available():
            torch.ones(1, device="cuda").sum().item()
            uuid = str(torch.cuda.get_device_properties(0).uuid)
            seen, devices = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}", torch.cuda.device_count()
        asked = os.environ.get("CUDA_VISIBLE_DEVICES") or "cpu"
        run.summary.update({"asked": asked, "seen": seen, "devices": devices})
        run.log({"loss": 0.0})


def timed() -> None:
    """Train as the shipped trainer does, and note when the first step had been computed."""
    from trainer import loop
    from trainer.train import train

    began, take_step = time.time(), loop.Training.take_step

    def first(training: loop.Training, *args: Any) -> Any:
        loss = take_step(training, *args)
        loss.item()  # computed, not only asked for
        loop.Training.take_step = take_step  # type: ignore[method-assign]
        with Path(os.environ["GPU_CHECK_FILE"]).open("a") as file:
            file.write(json.dumps({"began": began, "stepped": time.time()}) + "\n")
        return loss

    loop.Training.take_step = first  # type: ignore[method-assign]
    train()


def touch() -> None:
    """Use some memory of the device and end."""
    import torch
    import wandb

    with wandb.init() as run:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        run.log({"loss": torch.ones(GIB // 8, device=device).mean().item()})


def hog() -> None:
    """Take the device's memory until there is none, if the run's parameters say so; else compute beside that."""
    import torch
    import wandb

    with wandb.init() as run:
        cuda = torch.cuda.is_available()
        device = "cuda" if cuda else "cpu"
        if run.config.hog:
            time.sleep(3)  # the other one is at work by then
            if not cuda:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB (a dry run says so)")
            held = []
            while True:
                held.append(torch.empty(GIB, dtype=torch.uint8, device=device))
        weights, until = torch.rand(256, 256, device=device), time.monotonic() + 15
        while time.monotonic() < until:
            loss = (weights @ weights).mean().item()
            time.sleep(0.05)
        run.log({"loss": loss})
