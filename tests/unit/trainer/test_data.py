"""The shipped digits, the cache that processes share, and where the other data sets come from."""

from __future__ import annotations

import gzip
import importlib
import json
import pickle
import struct
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from filelock import FileLock

from trainer.data import SHIPPED, DatasetError, Split, load

ROOT = Path(__file__).parents[3]


@pytest.fixture
def torchvision() -> ModuleType:
    """Five seconds of imports, for the process that runs these tests alone and not for all that collect them."""
    return importlib.import_module("torchvision")


def test_shipped_digits_are_complete() -> None:
    """8,000 are learnt from, a tenth of them held out; 2,000 tested on; every class and the whole range is there."""
    data = load("digits")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [7200, 800, 2000]
    for split in (data.train, data.validation, data.test):
        assert split.images.shape == (len(split), 28, 28, 1)
        assert split.images.dtype == torch.uint8
        assert set(split.labels.tolist()) == set(range(10))
        assert (int(split.images.min()), int(split.images.max())) == (0, 255)
    assert data.classes == tuple("0123456789")


def test_no_digit_is_in_two_parts() -> None:
    """What is learnt from, chosen by and tested on are different images."""
    data = load("digits")
    parts = [{image.numpy().tobytes() for image in split.images} for split in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 10_000


def test_shipped_digits_carry_their_notice() -> None:
    """The licence of the images lies beside them."""
    assert "CC BY-SA 3.0" in (SHIPPED / "README.md").read_text(encoding="utf-8")


def test_a_batch_is_what_the_tutorials_loader_gives(torchvision: ModuleType) -> None:
    """Pixels in [0, 1], to the last bit those of torchvision's ToTensor, channels first, in channels_last memory."""
    split = load("digits").train
    images, labels = split.batch(torch.tensor([5, 0, 5]))
    to_tensor = torchvision.transforms.ToTensor()
    expected = torch.stack([to_tensor(split.images[place].numpy()) for place in (5, 0, 5)])
    assert torch.equal(images, expected)
    assert labels.tolist() == split.labels[[5, 0, 5]].tolist()
    assert images.permute(0, 2, 3, 1).is_contiguous()


BUILD = """
import json, sys, torch
from pathlib import Path
from trainer.data import load
data = load("digits", cache=Path(sys.argv[1]))
maps = [line for line in open("/proc/self/maps") if "digits-v1.pt" in line]
print(json.dumps([int(data.train.images.sum()), "torchvision" in sys.modules, len(maps)]))
"""


def test_several_processes_may_build_the_cache_at_once(tmp_path: Path) -> None:
    """All see the same whole images, mapped from one file; none of them imports torchvision."""
    command = [sys.executable, "-c", BUILD, str(tmp_path / "cache")]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [json.loads(process.communicate(timeout=100)[0]) for process in started]
    total = int(load("digits").train.images.sum())
    assert [(pixels, torchvision_too) for pixels, torchvision_too, _ in said] == [(total, False)] * 3
    assert all(maps for *_, maps in said)
    assert sorted(file.name for file in (tmp_path / "cache").iterdir()) == ["digits-v1.pt", "digits.lock"]


def test_a_cache_is_made_once_with_all_that_is_missing_above_it(tmp_path: Path) -> None:
    """And read from then on: what lies there is what is given."""
    file = tmp_path / "home" / "cache" / "digits-v1.pt"
    load("digits", cache=file.parent)
    record = torch.load(file, weights_only=True)
    record["classes"] = [f"class {n}" for n in range(10)]
    torch.save(record, file)
    assert load("digits", cache=file.parent).classes[3] == "class 3"


def test_who_waited_takes_what_the_first_one_made(tmp_path: Path) -> None:
    """The cache is made by one process; the others find it when their turn comes."""
    load("digits", cache=tmp_path / "first")
    record = torch.load(tmp_path / "first" / "digits-v1.pt", weights_only=True)
    record["classes"] = [f"class {n}" for n in range(10)]
    cache, found = tmp_path / "cache", []
    cache.mkdir()
    waiting = threading.Thread(target=lambda: found.append(load("digits", cache=cache).classes[3]))
    with FileLock(cache / "digits.lock"):
        waiting.start()
        waiting.join(0.5)
        torch.save(record, cache / "digits-v1.pt")
    waiting.join()
    assert found == ["class 3"]


class Planted:
    """What runs a command when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.trace,)


def test_a_file_in_the_cache_runs_nothing(tmp_path: Path) -> None:
    """Somebody may have put it there: it is read as tensors, never as a program."""
    torch.save({"images": Planted(tmp_path / "ran")}, tmp_path / "digits-v1.pt")
    with pytest.raises(pickle.UnpicklingError):
        load("digits", cache=tmp_path)
    assert not (tmp_path / "ran").exists()


def test_every_tenth_training_image_is_held_out() -> None:
    """From all of them alike, whatever order they are in: those at 0, 10, 20, ..."""
    data = load("digits")
    pixels = gzip.decompress((SHIPPED / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    shipped = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).reshape(8000, 28, 28, 1)
    assert torch.equal(data.validation.images, shipped[::10])
    assert torch.equal(data.train.images[:9], shipped[1:10])
    assert torch.equal(data.train.images[9:18], shipped[11:20])


def test_a_cache_that_cannot_be_written_is_no_hindrance(tmp_path: Path) -> None:
    """On a read-only home every run decodes for itself."""
    (tmp_path / "file").touch()
    assert len(load("digits", cache=tmp_path / "file" / "cache").train) == 7200


@pytest.mark.parametrize("dataset", ["MNIST", "FashionMNIST", "KMNIST"])
def test_a_downloaded_grey_data_set_is_read(tmp_path: Path, torchvision: ModuleType, dataset: str) -> None:
    """Files of torchvision's become the same kind of tensors, and are not asked for again."""
    folder = tmp_path / "downloads" / dataset / "raw"
    for part, n in (("train", 20), ("t10k", 5)):
        _write_idx(folder / f"{part}-images-idx3-ubyte", np.full((n, 28, 28), n, dtype=np.uint8))
        _write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(n, dtype=np.uint8) % 10)
    data = load(dataset, cache=tmp_path)  # type: ignore[arg-type]
    assert [len(split) for split in (data.train, data.validation, data.test)] == [18, 2, 5]
    assert data.train.images.unique().tolist() == [20]
    assert data.test.images.unique().tolist() == [5]
    assert data.test.labels.tolist() == [0, 1, 2, 3, 4]
    assert data.classes == tuple(getattr(torchvision.datasets, dataset).classes)
    for file in folder.iterdir():
        file.unlink()
    assert torch.equal(load(dataset, cache=tmp_path).train.images, data.train.images)  # type: ignore[arg-type]


def test_a_downloaded_colour_data_set_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torchvision: ModuleType
) -> None:
    """CIFAR10's rows of red, green and blue planes become images whose channels come last."""
    folder = tmp_path / "downloads" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    pixels = np.arange(10 * 3072).reshape(10, 3072).astype(np.uint8)
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": list(range(10))}))
    (folder / "meta").write_bytes(pickle.dumps({"label_names": [f"class {n}" for n in range(10)]}))
    cifar = torchvision.datasets.CIFAR10
    monkeypatch.setattr(cifar, "train_list", [["train", None]])  # ours have other checksums than the real ones
    monkeypatch.setattr(cifar, "test_list", [["test", None]])
    monkeypatch.setattr(cifar, "meta", {"filename": "meta", "key": "label_names", "md5": None})
    data = load("CIFAR10", cache=tmp_path)
    assert data.test.images.shape == (10, 32, 32, 3)
    assert data.test.images[0, 0, 1].tolist() == [pixels[0, 1], pixels[0, 1025], pixels[0, 2049]]
    assert data.classes[3] == "class 3"


@pytest.mark.parametrize("dataset", ["MNIST", "CIFAR10"])
def test_no_network_is_an_error_with_the_alternatives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str
) -> None:
    """A machine that cannot download is told what to write instead, or where to put the files."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("no_proxy", "")
    # torchvision asks urllib, which remembers the proxies of its first use for the rest of the process.
    monkeypatch.setattr(urllib.request, "_opener", None)
    with pytest.raises(DatasetError, match=r"dataset: \{value: digits\}") as caught:
        load(dataset, cache=tmp_path)  # type: ignore[arg-type]
    assert str(tmp_path / "downloads") in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / f"{dataset}-v1.pt").exists()


def test_a_split_knows_its_length() -> None:
    """As many as it has labels."""
    assert len(Split(torch.zeros(3, 1, 1, 1), torch.zeros(3))) == 3


def _write_idx(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(head + values.tobytes())
