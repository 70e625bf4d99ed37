"""The trainer against the tutorial's pipeline, taken literally: the same images, steps, threads and device.

The tutorial (W&B's PyTorch introduction, MNIST) feeds a ConvNet from a DataLoader with two workers and ToTensor, and
steps with Adam as it comes. Prints ratios, each of two things measured in turns in this process; times are of
processors, those of the DataLoader's workers included, because other programs may share the machine.

    .venv/bin/python benchmarks/trainer.py              # everything, about 6 minutes on one core
    .venv/bin/python benchmarks/trainer.py --seeds 0    # no accuracies, about 2 minutes
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # or `import trainer` would find this file
os.environ["WANDB_MODE"] = "offline"
os.environ.setdefault("WANDB_SILENT", "true")

import torch
import wandb
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST

from trainer.config import TrainConfig
from trainer.data import HELD_OUT, SHIPPED, Data, load
from trainer.loop import Training, predict, score

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# forward and backward of the tutorial's net: two operations a weight and output pixel; the first layer needs no
# gradient of its input
FLOP_PER_IMAGE = 2 * (2 * 28 * 28 * 16 * 25 + 3 * 14 * 14 * 32 * 16 * 25 + 3 * 7 * 7 * 32 * 10)


class Silent:
    """A W&B run that costs nothing."""

    def __init__(self) -> None:
        self.summary: dict[str, Any] = {}

    def log(self, *_args: Any, **_kwargs: Any) -> None:
        """Forget it."""

    watch = unwatch = log


class Tutorial:
    """The tutorial's pipeline, line for line."""

    def __init__(self, root: Path, seed: int = 0) -> None:
        full = MNIST(str(root), train=True, transform=transforms.ToTensor())
        self.images = Subset(full, [place for place in range(len(full)) if place % HELD_OUT])  # what we train on
        self.loader = DataLoader(
            self.images, batch_size=128, shuffle=True, pin_memory=DEVICE.type == "cuda", num_workers=2
        )
        torch.manual_seed(seed)
        self.model = nn.Sequential(
            *(nn.Conv2d(1, 16, kernel_size=5, stride=1, padding=2), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Conv2d(16, 32, kernel_size=5, stride=1, padding=2), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Flatten(), nn.Linear(7 * 7 * 32, 10)),
        ).to(DEVICE)
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.005)

    def epoch(self) -> None:
        """Go through the images once."""
        for batch, (images, labels) in enumerate(self.loader):
            loss = self.criterion(self.model(images.to(DEVICE)), labels.to(DEVICE))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if (batch + 1) % 25 == 0:
                loss.item()


def ours(data: Data, run: Any = None, **knobs: Any) -> tuple[Training, Callable[[], None]]:
    """Make our pipeline with the tutorial's configuration, and a function that takes it through the images once."""
    training = Training(TrainConfig.model_validate({"dataset": "digits", "watch": False, "epochs": 1000} | knobs), data)

    def epoch() -> None:
        training.train_epoch(run or Silent(), Event())
        training.at.batch, training.epoch_s = 0, 0.0
        training.at.epoch += 1

    return training, epoch


def clock() -> float:
    """Give the seconds to compare: of processors on a CPU, of the wall where a GPU works."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def in_turns(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Run the ways in turns after a round of warming up; give each one's best time."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            began = clock()
            way()
            times[name].append(clock() - began)
    return {name: min(values[1:]) for name, values in times.items()}


def table(title: str, times: dict[str, float], images: int) -> None:
    """Print images per second, and the ratio to the first row."""
    first = next(iter(times.values()))
    print(f"\n{title}\n{'':32}{'ms/step':>9}{'images/s':>11}{'ratio':>8}")
    for name, seconds in times.items():
        print(f"{name:32}{seconds / images * 128e3:9.2f}{images / seconds:11,.0f}{first / seconds:8.2f}")


def data_path(data: Data, root: Path, rounds: int) -> None:
    """Compare fetching alone."""
    tutorial, (training, _) = Tutorial(root), ours(data)

    def theirs() -> None:
        for images, labels in tutorial.loader:
            images.to(DEVICE), labels.to(DEVICE)

    def fetch() -> None:
        for index in torch.split(training.order(), 128):
            data.train.batch(index)

    table(
        "Data path: a pass of batches, no net", in_turns({"DataLoader": theirs, "ours": fetch}, rounds), len(data.train)
    )


def speed(data: Data, root: Path, rounds: int) -> None:
    """Compare whole steps, and say how near the quickest is to what the arithmetic allows."""
    ways = {"the tutorial's pipeline": Tutorial(root).epoch}
    for name, knobs in (("ours, fp32 (the default)", {}), ("ours, bf16", {"dtype": "bf16"})):
        ways[name] = ours(data, **knobs)[1]
    times = in_turns(ways, rounds)
    table("Training: a pass at the tutorial's configuration", times, len(data.train))
    for name, dtype in (("ours, fp32 (the default)", torch.float32), ("ours, bf16", torch.bfloat16)):
        peak, rate = matmul_flops(dtype), len(data.train) * FLOP_PER_IMAGE / times[name]
        print(f"{name}: {rate / 1e9:,.0f} GFLOP/s, {rate / peak:.0%} of this device's matrix product in {dtype}")


def matmul_flops(dtype: torch.dtype) -> float:
    """Measure the device's roofline for dense arithmetic, in FLOP/s."""
    n = 8192 if DEVICE.type == "cuda" else 1024
    left, right = (torch.randn(n, n, device=DEVICE).to(dtype) for _ in range(2))
    return 2 * n**3 / in_turns({"matmul": lambda: torch.mm(left, right)}, 10)["matmul"]


def watching(data: Data, rounds: int) -> None:
    """Measure what `wandb.watch` costs: the same pass, logged to a real run, with and without it."""
    with tempfile.TemporaryDirectory() as folder, wandb.init(dir=folder, project="benchmark") as run:
        ways = {
            name: ours(data, run, watch=watch)[1] for name, watch in (("without watch", False), ("with watch", True))
        }
        table("wandb.watch (histograms every 10 batches)", in_turns(ways, rounds), len(data.train))


EXPORT = """
import time, torch
from trainer.model import ConvNet
net, images = ConvNet(), torch.zeros(64, 1, 28, 28)
began = time.perf_counter(), time.process_time()
{call}
print(time.perf_counter() - began[0], time.process_time() - began[1])
"""


def export() -> None:
    """Compare exporting in fresh processes; ours includes the check with onnxruntime."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "model.onnx")
        calls = {
            "torch.onnx.export as it comes": f"torch.onnx.export(net, (images,), {file!r}, verbose=False)",
            "ours, checked": f"from pathlib import Path; from trainer.export import export_onnx\n"
            f"export_onnx(net, images, Path({file!r}))",
        }
        print(f"\nONNX export, the first of a process\n{'':32}{'wall s':>9}{'CPU s':>11}")
        for name, call in calls.items():
            command = [sys.executable, "-W", "ignore", "-c", EXPORT.format(call=call)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            wall, cpu = map(float, done.stdout.split()[-2:])
            print(f"{name:32}{wall:9.2f}{cpu:11.2f}")


def accuracy(data: Data, root: Path, seeds: int) -> None:
    """Compare test accuracies after the tutorial's five epochs."""
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        tutorial = Tutorial(root, seed)
        for _ in range(5):
            tutorial.epoch()
        found.setdefault("the tutorial's pipeline", []).append(_test(tutorial.model, data))
        for name, dtype in (("ours, fp32 (the default)", "fp32"), ("ours, bf16", "bf16")):
            training, epoch = ours(data, dtype=dtype, seed=seed)
            for _ in range(5):
                epoch()
            found.setdefault(name, []).append(_test(training.model, data))
    print(
        f"\nTest accuracy after 5 epochs, {seeds} seeds, {len(data.test)} images\n{'':32}{'mean':>9}{'spread (sd)':>13}"
    )
    for name, values in found.items():
        each = " ".join(f"{value:.4f}" for value in values)
        print(f"{name:32}{statistics.mean(values):9.4f}{statistics.stdev(values) if seeds > 1 else 0:13.4f}   {each}")


def _test(model: nn.Module, data: Data) -> float:
    return score(predict(model, data.test, TrainConfig(dataset="digits")), data.test)[1]


@contextmanager
def tutorials_files() -> Iterator[Path]:
    """Lay the shipped digits out as torchvision's MNIST wants them."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for file in SHIPPED.glob("*.gz"):
            (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
        yield Path(folder)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--threads", type=int, default=1, help="of PyTorch, in both; 1 by default, as on a shared machine"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison; the best counts")
    parser.add_argument("--seeds", type=int, default=5, help="for the accuracies; 0 leaves them out")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{DEVICE.type}, {args.threads} thread(s), torch {torch.__version__}, 7,200 shipped digits, batches of 128")
    data = load("digits").to(DEVICE)
    with tutorials_files() as root:
        data_path(data, root, args.rounds)
        speed(data, root, args.rounds)
        watching(data, args.rounds)
        export()
        if args.seeds:
            accuracy(data, root, args.seeds)


if __name__ == "__main__":
    main()
