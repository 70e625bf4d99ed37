"""ConvNet: its shapes for any width and depth."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainer.model import ACTIVATIONS, ConvNet


@pytest.mark.parametrize("kernels", [(16, 32), (4, 8), (1, 1), (2, 4, 8), (2, 2, 2, 2)])
@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 32)])
def test_any_kernels_give_one_logit_a_class(kernels: tuple[int, ...], channels: int, side: int) -> None:
    """Images go in, `(batch, classes)` comes out, whatever the blocks and the images."""
    net = ConvNet(kernels, classes=10, channels=channels, side=side)
    assert net(torch.zeros(5, channels, side, side)).shape == (5, 10)
    assert len(net.blocks) == len(kernels)


def test_each_convolution_takes_what_the_one_before_gives() -> None:
    """A block reads the channels of the one before; the linear layer what is left of the image."""
    shapes = [tuple(weight.shape) for weight in ConvNet((4, 8), classes=11).parameters()]
    assert shapes == [(4, 1, 5, 5), (4,), (8, 4, 5, 5), (8,), (11, 7 * 7 * 8), (11,)]


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7, 11])
def test_a_convolution_leaves_the_sides_as_they_are(kernel_size: int) -> None:
    """Whatever its size: only the pool halves them."""
    net = ConvNet((2, 3), kernel_size=kernel_size)
    assert net.blocks[0](torch.zeros(1, 1, 28, 28)).shape == (1, 2, 14, 14)
    assert net.blocks(torch.zeros(1, 1, 28, 28)).shape == (1, 3, 7, 7)


def test_inputs_are_dropped_in_training_alone() -> None:
    """As large a share as was asked for, before the linear layer."""
    net = ConvNet((2, 3), dropout=0.5)
    assert net.dropout.p == 0.5
    assert ConvNet().dropout.p == 0.0
    images = torch.rand(2, 1, 28, 28)
    assert torch.equal(net.eval()(images), net(images))
    assert not torch.equal(net.train()(images), net(images))


def test_too_deep_a_net_is_refused() -> None:
    """Blocks that would halve the image to nothing are named."""
    with pytest.raises(ValueError, match="kernels: 5 blocks"):
        ConvNet((1, 1, 1, 1, 1))


def test_it_is_the_tutorials_net() -> None:
    """Convolution, ReLU, pool, twice, and a linear layer: the same logits and gradients for the same seed."""
    torch.manual_seed(0)
    ours = ConvNet()
    torch.manual_seed(0)
    tutorials = nn.Sequential(
        *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(7 * 7 * 32, 10)),
    )
    images = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    logits = [net(images) for net in (ours, tutorials)]
    torch.testing.assert_close(*logits)
    for out in logits:
        out.square().sum().backward()
    for one, other in zip(ours.parameters(), tutorials.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_activation_works_on_every_pixel_before_the_pool(name: str) -> None:
    """Taking the maximum first is a short cut, which must not show."""
    torch.manual_seed(0)
    block = ConvNet((3, 3), activation=name).blocks[0]
    images = torch.randn(4, 1, 28, 28)
    expected = nn.functional.max_pool2d(ACTIVATIONS[name]()(block[0](images)), 2)
    torch.testing.assert_close(block(images), expected)
