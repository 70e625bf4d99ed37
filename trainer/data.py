"""The images: a split is one tensor, a batch is an index into it.

No DataLoader: fetching an epoch of images this small through its workers takes 29 to 83 times as long (measured).
No torchvision either, unless MNIST has to be downloaded: importing it takes 5 s.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from filelock import FileLock
from platformdirs import user_cache_path
from torch import Tensor

SHIPPED = Path(__file__).with_name("digits")
CACHE = user_cache_path("sweeper") / "datasets"


class DatasetError(RuntimeError):
    """The images cannot be had."""


@dataclass(frozen=True, slots=True)
class Split:
    """The images of a data set that are trained on, or those that are tested on.

    Attributes:
        images: `(n, 1, 28, 28)` uint8.
        labels: `(n,)` int64.
    """

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Split:
        """Move the whole split to a device, once."""
        return Split(self.images.to(device), self.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)


class Loader:
    """Go through a split in batches.

    Args:
        split: The images and labels.
        batch_size: Images a batch; the last one holds the rest.
        seed: Shuffles anew for every pass, the same way for the same seed; None keeps the order.
    """

    def __init__(self, split: Split, batch_size: int, *, seed: int | None = None) -> None:
        self.split = split
        self.batch_size = batch_size
        self._generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        """Count the batches of a pass."""
        return math.ceil(len(self.split) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images `(batch, 1, 28, 28)` in [0, 1] and labels `(batch,)`."""
        n, device = len(self.split), self.split.labels.device
        order = torch.arange(n) if self._generator is None else torch.randperm(n, generator=self._generator)
        order = order.to(device)
        for start in range(0, n, self.batch_size):
            index = order[start : start + self.batch_size]
            yield self.split.images[index].float() / 255, self.split.labels[index]


def load(dataset: Literal["digits", "MNIST"], part: Literal["train", "test"], *, cache: Path = CACHE) -> Split:
    """Read one part of a data set.

    Args:
        dataset: "digits" (8,000 train, 2,000 test, shipped) or "MNIST" (60,000 and 10,000, downloaded once).
        part: Which split.
        cache: Where downloads are kept.

    Raises:
        DatasetError: MNIST is not in the cache and cannot be downloaded.
    """
    folder = SHIPPED if dataset == "digits" else _download_mnist(cache)
    prefix = "train" if part == "train" else "t10k"
    images = _read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = _read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    return Split(images.unsqueeze(1), labels.long())


def _read_idx(path: Path) -> Tensor:
    """Read a gzipped IDX file of bytes: 0, 0, type, dimensions, each length as 4 bytes big-endian, then the values."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    start = 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    return torch.frombuffer(content, dtype=torch.uint8, offset=start).reshape(shape)


def _download_mnist(cache: Path) -> Path:
    """Give the folder of MNIST's four .gz files, which torchvision downloads and verifies when they are missing."""
    folder, complete = cache / "MNIST" / "raw", cache / "mnist.complete"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "mnist.lock"):  # several workers start at once: one downloads, the others wait
        if not complete.exists():
            # Here only: importing it takes 5 s.
            from torchvision.datasets import MNIST  # type: ignore[import-untyped]

            try:
                MNIST(str(cache), download=True)
            except (OSError, RuntimeError) as error:
                raise DatasetError(
                    "MNIST cannot be downloaded. Sweep the digits shipped with the trainer instead: "
                    f"`dataset: {{value: digits}}`, or put its four .gz files into {folder} ({error})"
                ) from error
            complete.touch()
    return folder
