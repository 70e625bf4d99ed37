"""The arithmetic of one slot's runs and nothing else: forward and backward, the batches made beforehand.

Two lines on stdout: when it is ready, and how long it took. In between it waits for a line on stdin.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from torch.nn import functional as F  # noqa: N812 its name in every PyTorch program

from trainer.data import load
from trainer.machine import keep_freed_memory
from trainer.model import ConvNet


def main() -> None:
    """Do the steps of the runs given as JSON."""
    keep_freed_memory()
    split = load("digits").train
    work = []
    for run in json.loads(sys.argv[1]):
        batches = [split.batch(index) for index in torch.arange(len(split)).split(run["batch_size"])]
        work.append((run["epochs"], ConvNet(run["kernels"]).to(memory_format=torch.channels_last), batches))
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    for epochs, net, batches in work:
        for _ in range(epochs):
            for images, labels in batches:
                net.zero_grad()
                F.cross_entropy(net(images), labels).backward()
    print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
