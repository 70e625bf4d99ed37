"""Learning rates and augmentation."""

from __future__ import annotations

import pytest
import torch

from trainer.config import TrainConfig
from trainer.steps import augment, rate_share


def _shares(steps: int, **knobs: object) -> list[float]:
    config = TrainConfig.model_validate(knobs)
    return [rate_share(config, step, steps) for step in range(steps)]


def test_constant_is_constant() -> None:
    """The tutorial's learning rate never changes."""
    assert _shares(10) == [1.0] * 10


def test_warm_up_rises_in_even_steps() -> None:
    """After its share of the steps the highest rate is reached, and kept."""
    assert _shares(10, warmup=0.4) == pytest.approx([0.25, 0.5, 0.75, 1, *[1] * 6])


def test_cosine_falls_from_the_top_to_nearly_nothing() -> None:
    """Half way through it is half as high."""
    shares = _shares(100, schedule="cosine")
    assert shares[0] == 1
    assert shares[50] == pytest.approx(0.5)
    assert shares[-1] < 0.001
    assert shares == sorted(shares, reverse=True)


def test_one_cycle_rises_then_falls() -> None:
    """Its top lies at 30 % of the steps, or later with a longer warm-up."""
    assert _shares(100, schedule="one-cycle").index(1.0) in {29, 30}
    assert _shares(100, schedule="one-cycle", warmup=0.5).index(1.0) in {49, 50}
    assert _shares(100, schedule="one-cycle")[-1] < 0.001


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_few_steps_still_learn(schedule: str, steps: int) -> None:
    """A run of one step has a learning rate, too."""
    assert max(_shares(steps, schedule=schedule, warmup=0.9)) > 0


def test_no_augmentation_leaves_the_images_alone() -> None:
    """The tutorial's images are not even copied."""
    images = torch.rand(2, 1, 28, 28)
    assert augment(images, shift=0, rotate=0) is images


def test_a_shifted_image_lies_elsewhere_and_is_whole() -> None:
    """A bright square in the middle moves by at most the given pixels, each image's by its own amount."""
    images = torch.zeros(50, 1, 28, 28)
    images[:, :, 12:16, 12:16] = 1
    torch.manual_seed(0)
    moved = augment(images, shift=3, rotate=0)
    torch.testing.assert_close(moved.sum(dim=(1, 2, 3)), images.sum(dim=(1, 2, 3)))
    rows = torch.arange(28.0)
    centres = (moved.sum(dim=3).squeeze(1) * rows).sum(dim=1) / 16
    assert (centres - 13.5).abs().max() <= 3
    assert (centres - 13.5).abs().max() > 2
    assert centres.unique().numel() > 40


def test_a_turned_image_keeps_its_middle() -> None:
    """A bright square in the middle stays there, whatever the angle; a bar does not stay upright."""
    images = torch.zeros(20, 3, 28, 28)
    images[:, :, 4:24, 13:15] = 1
    torch.manual_seed(0)
    turned = augment(images, shift=0, rotate=45)
    assert turned.shape == images.shape
    assert (turned[:, :, 13:15, 13:15] > 0.5).all()
    assert (turned - images).abs().sum() > 1
