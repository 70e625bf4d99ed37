"""ConvNet: its shapes for any width."""

from __future__ import annotations

import pytest
import torch

from trainer.model import ConvNet


@pytest.mark.parametrize("kernels", [(16, 32), (4, 8), (32, 16), (1, 1)])
@pytest.mark.parametrize("batch", [1, 5])
def test_any_kernels_give_one_logit_a_class(kernels: tuple[int, int], batch: int) -> None:
    """Images go in, `(batch, classes)` comes out, whatever the widths of the two blocks."""
    logits = ConvNet(kernels, classes=10)(torch.zeros(batch, 1, 28, 28))
    assert logits.shape == (batch, 10)


def test_second_convolution_takes_what_the_first_gives() -> None:
    """The second block reads kernels[0] channels, not the tutorial's fixed 16; the linear layer 7*7*kernels[1]."""
    shapes = [tuple(weight.shape) for weight in ConvNet((4, 8), classes=11).parameters()]
    assert shapes == [(4, 1, 5, 5), (4,), (8, 4, 5, 5), (8,), (11, 7 * 7 * 8), (11,)]
