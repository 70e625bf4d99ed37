"""The ConvNet: two blocks of convolution, then one linear layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class ConvNet(nn.Module):
    """Two 5x5 convolutions, each with ReLU and 2x2 max-pool, and a linear layer, for 28x28 grey images.

    Args:
        kernels: Channels of the first and of the second block.
        classes: Outputs, one logit a class.
    """

    def __init__(self, kernels: Sequence[int], classes: int) -> None:
        super().__init__()
        first, second = kernels
        self.layer1 = _block(1, first)
        self.layer2 = _block(first, second)
        self.fc = nn.Linear(7 * 7 * second, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Give the logits `(n, classes)` of images `(n, 1, 28, 28)`."""
        out = self.layer1(images)  # (n, kernels[0], 14, 14)
        out = self.layer2(out)  # (n, kernels[1], 7, 7)
        logits: Tensor = self.fc(out.flatten(start_dim=1))  # (n, classes)
        return logits


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    """Build a block that halves both sides: `(n, in, s, s)` -> `(n, out, s/2, s/2)`."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2),
    )
