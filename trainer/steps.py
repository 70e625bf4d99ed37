"""What a training step is made of besides net and optimizer: the learning rate, and moved and turned images."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 its name in every PyTorch program

from trainer.config import TrainConfig

ONE_CYCLE_RISE = 0.3


def rate_share(config: TrainConfig, step: int, steps: int) -> float:
    """Give the learning rate of a step as a share of the highest one.

    Args:
        config: Its `schedule` and `warmup`.
        step: From 0 to `steps - 1`.
        steps: Of the whole run.
    """
    rise = max(config.warmup, ONE_CYCLE_RISE) if config.schedule == "one-cycle" else config.warmup
    rising = round(rise * steps)
    if step < rising:
        return (step + 1) / rising
    if config.schedule == "constant":
        return 1.0
    return (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1))) / 2


def augment(images: Tensor, *, shift: float, rotate: float) -> Tensor:
    """Move and turn each image by its own amounts, drawn evenly from both directions.

    Args:
        images: `(n, channels, side, side)`; what comes in from outside is black.
        shift: Pixels at most.
        rotate: Degrees at most.
    """
    if not shift and not rotate:
        return images
    n, side = len(images), images.shape[-1]
    turn, across, down = torch.rand(3, n, device=images.device) * 2 - 1
    angle, pixel = turn * math.radians(rotate), 2 / side  # grid_sample's sides are 2 long
    cos, sin = angle.cos(), angle.sin()
    rows = [cos, -sin, across * shift * pixel, sin, cos, down * shift * pixel]
    grid = F.affine_grid(torch.stack(rows, dim=1).view(n, 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)
