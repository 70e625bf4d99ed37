"""Splits and batches of the shipped digits, and where MNIST comes from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import pytest
import torch

from trainer.data import SHIPPED, DatasetError, Loader, Split, load


@pytest.mark.parametrize(("part", "n"), [("train", 8000), ("test", 2000)])
def test_shipped_digits_are_complete(part: Literal["train", "test"], n: int) -> None:
    """Each split has its images, every class is there, and the pixels use the whole range."""
    split = load("digits", part)
    assert split.images.shape == (n, 1, 28, 28)
    assert split.labels.shape == (n,)
    assert set(split.labels.tolist()) == set(range(10))
    assert (int(split.images.min()), int(split.images.max())) == (0, 255)


def test_no_digit_is_trained_and_tested_on() -> None:
    """The two splits share no image."""
    images = [{image.numpy().tobytes() for image in load("digits", part).images} for part in ("train", "test")]
    assert not images[0] & images[1]


def test_shipped_digits_carry_their_notice() -> None:
    """The licence of the images lies beside them."""
    assert "CC BY-SA 3.0" in (SHIPPED / "README.md").read_text(encoding="utf-8")


def test_one_pass_gives_every_image_once() -> None:
    """Shuffled batches hold each image once, scaled to [0, 1], and the last batch is the rest."""
    loader = Loader(_numbered(10), batch_size=4, seed=0)
    batches = list(loader)
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    assert len(loader) == 3
    assert sorted(torch.cat([labels for _, labels in batches]).tolist()) == list(range(10))
    for images, labels in batches:
        assert images.flatten().tolist() == pytest.approx((labels / 255).tolist())


def test_order_is_new_each_pass_and_the_same_for_a_seed() -> None:
    """Two loaders of one seed agree pass by pass; the passes and another seed differ."""
    one, two, other = (Loader(_numbered(50), batch_size=50, seed=seed) for seed in (0, 0, 1))
    first, second = _labels(one), _labels(one)
    assert first != second
    assert [first, second] == [_labels(two), _labels(two)]
    assert first != _labels(other)


def test_without_a_seed_the_order_stays() -> None:
    """A loader to test on does not shuffle."""
    assert _labels(Loader(_numbered(9), batch_size=4)) == list(range(9))


def test_cached_mnist_is_read_without_torchvision(tmp_path: Path) -> None:
    """Once downloaded, MNIST is four files like the shipped ones."""
    shutil.copytree(SHIPPED, tmp_path / "MNIST" / "raw")
    (tmp_path / "mnist.complete").touch()
    assert len(load("MNIST", "test", cache=tmp_path)) == 2000


def test_mnist_without_a_network_points_to_the_shipped_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that cannot download is told what to write instead."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(DatasetError, match=r"dataset: \{value: digits\}"):
        load("MNIST", "train", cache=tmp_path)


def _numbered(n: int) -> Split:
    """Make images whose only pixel is their label."""
    return Split(torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1), torch.arange(n))


def _labels(loader: Loader) -> list[int]:
    return torch.cat([labels for _, labels in loader]).tolist()
