"""The training loop: steps, epochs, what is logged of them, and what a checkpoint needs to go on."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 its name in every PyTorch program

from trainer.checkpoint import Checkpoint
from trainer.config import TrainConfig
from trainer.data import Data, Split
from trainer.graph import GraphedStep
from trainer.kept_rows import KeptRows
from trainer.machine import has_bf16
from trainer.model import ConvNet
from trainer.optimizer import FusedOptimizer
from trainer.steps import augment, rate_share

if TYPE_CHECKING:
    import wandb

LOG_EVERY = 25  # batches between two logged losses: reading one waits for the device
WATCH_EVERY = 10  # batches between two histograms of `wandb.watch`
TEST_BATCH = 250  # images judged at once: they stay in a processor's cache, 1.7 times as fast as 1000


class PreemptedError(Exception):
    """The machine is wanted for something else; the run is saved and can go on elsewhere."""


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        epoch: Passes done.
        batch: Batches done of the pass under way.
        examples: Images trained on, repeats included: the `step` of all that is logged.
        train_s: Seconds of training, without judging, saving and exporting.
        best_val_accuracy: The best of all passes; -1 before the first.
        best_epoch: When that was.
    """

    epoch: int = 0
    batch: int = 0
    examples: int = 0
    train_s: float = 0.0
    best_val_accuracy: float = -1.0
    best_epoch: int = 0


class Training:
    """A net on its way: `fit` trains it, `state` and `restore` carry it over an interruption.

    Args:
        config: The run's parameters.
        data: The images, on the device to train on.
    """

    def __init__(self, config: TrainConfig, data: Data) -> None:
        self.config, self.data = config, data
        self.device = data.train.labels.device
        torch.manual_seed(config.seed)
        self.model = make_model(config, data).to(self.device)
        self.criterion = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)
        self.optimizer = FusedOptimizer(self.model.parameters(), config, self.device)
        self.rate = self.optimizer.rate
        self.sums = torch.zeros(2, device=self.device)  # of this pass: loss of all images, images named rightly
        self.batches = math.ceil(len(data.train) / config.batch_size)  # of a pass; the last one holds the rest
        self.loss = torch.zeros((), device=self.device)  # of the last step
        self.best: dict[str, Tensor] = {}  # the weights of the best pass
        self.at = Progress()
        self.rows = KeptRows()
        self.epoch_s = 0.0
        self.watching = False
        self.graph = GraphedStep(self.step, config.batch_size, self.device) if self.device.type == "cuda" else None

    def fit(self, run: wandb.Run, checkpoint: Checkpoint, preempted: Event) -> None:
        """Train, log, and save after every pass.

        Raises:
            PreemptedError: `preempted` was set; the state is saved, to the batch.
        """
        if self.config.dtype == "bf16" and not has_bf16(self.device.type):
            print("bf16: this device has no arithmetic for it, and software would be slower: the run is fp32")  # noqa: T201
        while self.at.epoch < self.config.epochs:
            self.train_epoch(run, preempted)
            if preempted.is_set():
                checkpoint.save(self.state())
                raise PreemptedError
            self.judge_epoch(run)
            checkpoint.save(self.state())
        if self.watching:
            run.unwatch(self.model)
        if self.config.keep == "best":
            self.model.load_state_dict(self.best)

    def train_epoch(self, run: wandb.Run, preempted: Event) -> None:
        """Take the steps that remain of a pass, or those until a preemption."""
        self.model.train()
        order, size = self.order(), self.config.batch_size
        began = time.perf_counter()
        while self.at.batch < self.batches and not preempted.is_set():
            index = order[self.at.batch * size : (self.at.batch + 1) * size]
            self.loss = self.take_step(run, index)
            self.at.batch += 1
            self.at.examples += len(index)
            if self.at.batch % LOG_EVERY == 0 and self.at.batch < self.batches:  # the last one joins the pass's row
                row = {"epoch": self.at.epoch + 1, "loss": self.loss.item()}
                self.rows.log(run, row, step=self.at.examples)
        self.loss.item()  # waits for a GPU: else the clock would stop before it
        self.epoch_s += time.perf_counter() - began

    def order(self) -> Tensor:
        """Shuffle anew for this pass, the same way for the same seed, on every device."""
        seed = self.config.seed * 1_000_003 + self.at.epoch
        return torch.randperm(len(self.data.train), generator=torch.Generator().manual_seed(seed)).to(self.device)

    def take_step(self, run: wandb.Run, index: Tensor) -> Tensor:
        """Set the learning rate, take a step, and give the loss before it, still on the device."""
        done, steps = self.at.epoch * self.batches + self.at.batch, self.config.epochs * self.batches
        self.rate.fill_(self.config.learning_rate * rate_share(self.config, done, steps))
        if self.config.watch and not self.watching and (self.graph is None or self.graph.recording):
            # W&B's hooks read values on the host, which cannot be recorded: first the graph, then they
            run.watch(self.model, self.criterion, log="all", log_freq=1 if self.graph else WATCH_EVERY)
            self.watching = True
        if self.graph is None or (self.watching and done % WATCH_EVERY == 0):
            return self.step(index)
        return self.graph(index)

    def step(self, index: Tensor) -> Tensor:
        """Learn from the images at these places `(batch,)`."""
        images, labels = self.data.train.batch(index)
        logits = forward(self.model, augment(images, shift=self.config.shift, rotate=self.config.rotate), self.config)
        loss: Tensor = self.criterion(logits, labels)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch 2.15 leaves it so
        self.optimizer.step()
        self.sums += torch.stack([loss.detach() * len(labels), (logits.argmax(dim=1) == labels).sum()])
        return loss.detach()

    def judge_epoch(self, run: wandb.Run) -> None:
        """Log a pass: once each, because early termination compares runs by these values."""
        val_loss, val_accuracy = score(predict(self.model, self.data.validation, self.config), self.data.validation)
        train_loss, train_accuracy = (total / len(self.data.train) for total in self.sums.tolist())
        self.at.epoch += 1
        row = {
            "epoch": self.at.epoch,
            "loss": self.loss.item(),
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "learning_rate": self.rate.item(),
            "images_per_s": round(len(self.data.train) / self.epoch_s, 1),
        }
        if self.device.type == "cuda":
            row["gpu_peak_mib"] = torch.cuda.max_memory_allocated(self.device) / 2**20
        if val_accuracy > self.at.best_val_accuracy:
            self.at.best_val_accuracy, self.at.best_epoch = val_accuracy, self.at.epoch
            self.best = {name: weight.detach().clone() for name, weight in self.model.state_dict().items()}
        self.rows.log(run, row, step=self.at.examples)
        said = f"loss {train_loss:.4f}, val_accuracy {val_accuracy:.4f}, {row['images_per_s']:,.0f} images/s"
        print(f"epoch {self.at.epoch}/{self.config.epochs}: {said}")  # noqa: T201 the run's log, or the terminal
        self.sum_up(run)
        self.at.train_s += self.epoch_s
        self.at.batch, self.epoch_s = 0, 0.0
        self.sums.zero_()

    def sum_up(self, run: wandb.Run) -> None:
        """Write the best pass so far into the run's summary."""
        run.summary.update({"best_val_accuracy": self.at.best_val_accuracy, "best_epoch": self.at.best_epoch})

    def catch_up(self, run: wandb.Run) -> None:
        """Tell the server what it lacks of what was restored: the process before may have been killed unheard."""
        self.rows.log_again(run)
        if self.at.best_epoch:
            self.sum_up(run)

    def state(self) -> dict[str, Any]:
        """Give all that the next step depends on."""
        cuda = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
        return {
            "config": self.config.model_dump(mode="json"),
            "at": asdict(self.at),
            "rows": self.rows.kept,
            "epoch_s": self.epoch_s,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "loss": self.loss,
            "sums": self.sums,
            "best": self.best,
            "rng": [torch.get_rng_state(), cuda],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was."""
        self.at = Progress(**state["at"])
        self.rows = KeptRows(list(state.get("rows", ())))  # version 0.1.0 kept none
        self.epoch_s = state["epoch_s"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.loss = state["loss"].to(self.device)
        self.sums.copy_(state["sums"])
        self.best = {name: weight.to(self.device) for name, weight in state["best"].items()}
        cpu, cuda = state["rng"]
        torch.set_rng_state(cpu)
        if cuda is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(cuda, self.device)


def make_model(config: TrainConfig, data: Data) -> ConvNet:
    """Make the net for these images, its weights drawn from PyTorch's own generator."""
    _, side, _, channels = data.train.images.shape
    return ConvNet(
        config.kernels,
        config.classes,
        channels=channels,
        side=side,
        kernel_size=config.kernel_size,
        activation=config.activation,
        dropout=config.dropout,
    ).to(memory_format=torch.channels_last)  # 1.3 times as fast on a CPU, together with images that come so


def forward(model: nn.Module, images: Tensor, config: TrainConfig) -> Tensor:
    """Give the logits in fp32, computed in the config's arithmetic as far as the device has it."""
    device = images.device.type
    with torch.autocast(device, dtype=torch.bfloat16, enabled=config.dtype == "bf16" and has_bf16(device)):
        logits: Tensor = model(images)
    return logits.float()


@torch.no_grad()
def predict(model: nn.Module, split: Split, config: TrainConfig) -> Tensor:
    """Give the logits `(n, classes)` of all images of a split."""
    model.eval()
    places = torch.split(torch.arange(len(split), device=split.labels.device), TEST_BATCH)
    return torch.cat([forward(model, split.batch(index)[0], config) for index in places])


def score(logits: Tensor, split: Split) -> tuple[float, float]:
    """Give the mean loss and the share of images named rightly, from 0 to 1."""
    right = (logits.argmax(dim=1) == split.labels).sum().item()
    return F.cross_entropy(logits, split.labels).item(), right / len(split)
