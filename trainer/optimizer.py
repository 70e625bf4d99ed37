"""The optimizers: PyTorch's kernels for them, called without its classes.

The first step of one of its classes imports torch._dynamo, 900 modules, which takes as long as importing torch itself
(torch 2.15). The functions below them, which it documents too, need none of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from trainer.config import TrainConfig

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""PyTorch's defaults of Adam."""


class FusedOptimizer:
    """Adam, AdamW or SGD with momentum, all weights in one kernel.

    Args:
        parameters: What it changes.
        config: Its `optimizer`, `learning_rate`, `momentum` and `weight_decay`.
        device: Where the parameters are.

    Attributes:
        rate: The learning rate, a tensor: it can change inside a CUDA graph.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], config: TrainConfig, device: torch.device) -> None:
        self.config, self.parameters = config, list(parameters)
        self.rate = torch.tensor(config.learning_rate, device=device)
        names = ("momentum_buffer",) if config.optimizer == "sgd" else ("exp_avg", "exp_avg_sq")
        self.buffers = {name: [torch.zeros_like(weight) for weight in self.parameters] for name in names}
        if config.optimizer != "sgd":
            self.buffers["step"] = [torch.zeros((), device=device) for _ in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.parameters:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters by their gradients."""
        grads = [cast("Tensor", weight.grad) for weight in self.parameters]
        if self.config.optimizer == "sgd":
            self._step_sgd(grads)
        else:
            self._step_adam(grads)

    def _step_adam(self, grads: list[Tensor]) -> None:
        adam(
            [*self.parameters],
            grads,
            self.buffers["exp_avg"],
            self.buffers["exp_avg_sq"],
            [],
            self.buffers["step"],
            fused=True,
            capturable=self.rate.device.type == "cuda",
            decoupled_weight_decay=self.config.optimizer == "adamw",
            amsgrad=False,
            beta1=BETA1,
            beta2=BETA2,
            lr=self.rate,
            weight_decay=self.config.weight_decay,
            eps=EPSILON,
            maximize=False,
        )

    def _step_sgd(self, grads: list[Tensor]) -> None:
        sgd(
            [*self.parameters],
            grads,
            [*self.buffers["momentum_buffer"]] if self.config.momentum else [],
            fused=True,
            weight_decay=self.config.weight_decay,
            momentum=self.config.momentum,
            lr=self.rate,
            dampening=0,
            nesterov=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Give what its next step depends on, in the form of PyTorch's own optimizers."""
        rows = range(len(self.parameters))
        return {"state": {row: {name: every[row] for name, every in self.buffers.items()} for row in rows}}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from a state, of this class or of PyTorch's own; what is not in it was never stepped."""
        for row, buffers in saved["state"].items():
            for name, value in buffers.items():
                self.buffers[name][row].copy_(value)
