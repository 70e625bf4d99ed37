"""A training step as one CUDA graph: on a net this small, starting the kernels costs more than running them.

Written from PyTorch's documentation and not yet run on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3
"""Steps before the recording, on a stream of their own, as PyTorch asks: they fill caches and the optimizer's state."""


class GraphedStep:
    """Records a step after some real ones, and replays it from then on.

    Args:
        step: Takes the places `(batch,)` of the images to train on and gives the loss; it must not wait for the device.
        batch_size: Of the recorded step; a shorter batch, the last of a pass, is not replayed.
        device: A GPU.
    """

    def __init__(self, step: Callable[[Tensor], Tensor], batch_size: int, device: torch.device) -> None:
        self.step = step
        self.index = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch 2.15 leaves it so
        self.warm = 0
        self.recording: tuple[torch.cuda.CUDAGraph, Tensor] | None = None

    def __call__(self, index: Tensor) -> Tensor:
        """Take the step."""
        if len(index) != len(self.index):
            return self.step(index)
        if self.warm < WARM_UP:
            return self._warm_up(index)
        if self.recording is None:
            self.recording = self._record()
        graph, loss = self.recording
        self.index.copy_(index)
        graph.replay()
        return loss

    def _warm_up(self, index: Tensor) -> Tensor:
        self.warm += 1
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            loss = self.step(index)
        torch.cuda.current_stream().wait_stream(self.stream)
        return loss

    def _record(self) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):  # only records: nothing is computed until the replay
            loss = self.step(self.index)
        return graph, loss
