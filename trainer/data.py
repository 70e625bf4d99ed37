"""The images: decoded once for all runs, moved to the device once, batched by index.

No DataLoader: fetching an epoch of images this small through its workers takes 29 to 83 times as long (measured).
No torchvision, unless a data set has to be downloaded: importing it takes 5 s.
"""

from __future__ import annotations

import gzip
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from platformdirs import user_cache_path
from torch import Tensor

from trainer.config import Dataset

SHIPPED = Path(__file__).with_name("digits")

HELD_OUT = 10
"""Every tenth training image is kept for validation: what a sweep optimises must not be what it is tested on."""

Record = dict[str, Any]
"""A decoded data set: `images` `(n, side, side, channels)` uint8, `labels` `(n,)` uint8, `sizes`, `classes`."""


class DatasetError(RuntimeError):
    """The images cannot be had."""


@dataclass(frozen=True, slots=True)
class Split:
    """Images and their labels.

    Attributes:
        images: `(n, side, side, channels)` uint8. The channels come last: a batch of them is `channels_last` for free.
        labels: `(n,)` int64.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Give images `(batch, channels, side, side)` in [0, 1] and labels `(batch,)`."""
        images = self.images.index_select(0, index).float().div_(255)
        return images.permute(0, 3, 1, 2), self.labels.index_select(0, index)

    def to(self, device: torch.device) -> Split:
        """Move it to a device, whole."""
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, slots=True)
class Data:
    """A data set in three parts.

    Attributes:
        train: What is learnt from.
        validation: What the sweep's metric is measured on, after every epoch.
        test: What is looked at once, at the end.
        classes: The classes' names, by label.
    """

    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]

    def to(self, device: torch.device) -> Data:
        """Move it to a device, once."""
        parts = {name: getattr(self, name).to(device) for name in ("train", "validation", "test")}
        return replace(self, **parts)


def load(dataset: Dataset, *, cache: Path | None = None) -> Data:
    """Read a data set; its pixels are shared by all processes that read it (mmap).

    Args:
        dataset: "digits" is shipped with the trainer; the others are downloaded the first time.
        cache: Where decoded data sets and downloads are kept; by default under the user's cache directory.

    Raises:
        DatasetError: It is neither in the cache nor can it be downloaded.
    """
    record = _cached(dataset, cache or user_cache_path("sweeper") / "datasets")
    labels = record["labels"].long()
    parts = zip(record["images"].split(record["sizes"]), labels.split(record["sizes"]), strict=True)
    validation, train, test = (Split(images, labels) for images, labels in parts)
    return Data(train, validation, test, tuple(record["classes"]))


def _cached(dataset: Dataset, cache: Path) -> Record:
    """Read the decoded data set; the first of several processes makes it, the others wait."""
    file = cache / f"{dataset}-v1.pt"
    if not file.exists():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with FileLock(cache / f"{dataset}.lock"):
                if not file.exists():
                    _save(_decode(dataset, cache), file)
        except OSError:  # nothing can be written there: every run decodes for itself
            return _decode(dataset, cache)
    record: Record = torch.load(file, mmap=True, weights_only=True)
    return record


def _save(record: Record, file: Path) -> None:
    """Write a file that is whole whenever it is there."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        draft = Path(folder) / file.name
        torch.save(record, draft)
        draft.replace(file)


def _decode(dataset: Dataset, cache: Path) -> Record:
    """Make one tensor of all images: those held out for validation, the other training images, the test images."""
    train, test, classes = _read_shipped() if dataset == "digits" else _read_torchvision(dataset, cache)
    held_out = torch.arange(len(train)) % HELD_OUT == 0
    parts = [_take(train, held_out), _take(train, ~held_out), test]
    return {
        "images": torch.cat([part.images for part in parts]),
        "labels": torch.cat([part.labels for part in parts]).to(torch.uint8),
        "sizes": [len(part) for part in parts],
        "classes": classes,
    }


def _take(split: Split, which: Tensor) -> Split:
    return Split(split.images[which], split.labels[which])


def _read_shipped() -> tuple[Split, Split, list[str]]:
    train, test = (
        Split(_read_idx(f"{part}-images-idx3-ubyte.gz").unsqueeze(-1), _read_idx(f"{part}-labels-idx1-ubyte.gz"))
        for part in ("train", "t10k")
    )
    return train, test, [str(digit) for digit in range(10)]


def _read_idx(name: str) -> Tensor:
    """Read a gzipped IDX file of bytes: 0, 0, type, dimensions, each length as 4 bytes big-endian, then the values."""
    content = bytearray(gzip.decompress((SHIPPED / name).read_bytes()))
    start = 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    return torch.frombuffer(content, dtype=torch.uint8, offset=start).reshape(shape)


def _read_torchvision(dataset: Dataset, cache: Path) -> tuple[Split, Split, list[str]]:
    """Have torchvision download, verify and read a data set."""
    from torchvision import datasets  # type: ignore[import-untyped]  # here only: importing it takes 5 s

    root = cache / "downloads"
    try:
        train, test = (getattr(datasets, dataset)(str(root), train=part, download=True) for part in (True, False))
    except (OSError, RuntimeError) as error:
        why = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise DatasetError(
            f"{dataset} cannot be downloaded ({why}). Use the digits shipped with the trainer, which need no network: "
            f"`dataset: {{value: digits}}`; or put torchvision's unpacked files of {dataset} under {root}"
        ) from error
    return _split(train), _split(test), [str(name) for name in train.classes]


def _split(dataset: Any) -> Split:
    """Take the arrays out of a torchvision data set: grey `(n, side, side)` or colour `(n, side, side, 3)`."""
    images = torch.as_tensor(dataset.data)
    return Split(images if images.ndim == 4 else images.unsqueeze(-1), torch.as_tensor(dataset.targets))
