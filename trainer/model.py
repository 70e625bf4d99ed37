"""The ConvNet: blocks of convolution, then one linear layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
RISING = {"relu", "leaky_relu"}
"""These never fall, so the maximum may be taken before them: the same numbers from a quarter of the work."""


class ConvNet(nn.Module):
    """Convolutions, each with activation and 2x2 max-pool, and a linear layer: the tutorial's net, of any depth.

    Args:
        kernels: Channels of each block.
        classes: Outputs, one logit a class.
        channels: Of the image.
        side: Of the image, in pixels.
        kernel_size: Sides of a convolution, odd.
        activation: A name in `ACTIVATIONS`.
        dropout: Share of the linear layer's inputs that are dropped in training.

    Raises:
        ValueError: The blocks halve the image to nothing.
    """

    def __init__(
        self,
        kernels: Sequence[int] = (16, 32),
        classes: int = 10,
        *,
        channels: int = 1,
        side: int = 28,
        kernel_size: int = 5,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        last = side >> len(kernels)  # each block halves the side
        if last == 0:
            raise ValueError(f"kernels: {len(kernels)} blocks halve {side} pixels to nothing")
        widths = [channels, *kernels]
        self.blocks = nn.Sequential(*(_block(*pair, kernel_size, activation) for pair in pairwise(widths)))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(last * last * kernels[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Give the logits `(n, classes)` of images `(n, channels, side, side)`."""
        out = self.blocks(images)  # (n, kernels[-1], last, last)
        logits: Tensor = self.fc(self.dropout(out.flatten(start_dim=1)))  # (n, classes)
        return logits


def _block(before: int, after: int, kernel_size: int, activation: str) -> nn.Sequential:
    """Build a block that halves both sides: `(n, before, s, s)` -> `(n, after, s/2, s/2)`."""
    conv = nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2)
    pool, act = nn.MaxPool2d(2), ACTIVATIONS[activation]()
    return nn.Sequential(conv, pool, act) if activation in RISING else nn.Sequential(conv, act, pool)
