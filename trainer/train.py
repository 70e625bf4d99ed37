"""Train a ConvNet on handwritten digits with the parameters of one W&B run.

`train` takes no arguments: every agent calls it (`trainer.train:train`), and it finds its parameters in the run's
config. The rest is the tutorial's pipeline: make the pieces, train, test, save the net.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
import wandb
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from trainer.config import TrainConfig
from trainer.data import Loader, load
from trainer.export import export_onnx
from trainer.model import ConvNet

LOG_EVERY = 25  # batches between two logged losses
TEST_BATCH = 1000  # images tested at once: bounds the memory, does not change the result


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a run is made of."""

    model: ConvNet
    train_loader: Loader
    test_loader: Loader
    criterion: nn.Module
    optimizer: Optimizer


def train() -> None:
    """Train, test and save one net with the parameters of the run that W&B hands out."""
    # What the sweep sets wins over these defaults; the run's config then shows both.
    with wandb.init(config=TrainConfig().model_dump(mode="json")) as run:
        config = TrainConfig.from_wandb(dict(run.config))
        pipeline = make(config)
        began = time.perf_counter()
        train_loop(run, pipeline, config.epochs)
        run.summary["train_s"] = round(time.perf_counter() - began, 3)
        save(run, pipeline.model)


def make(config: TrainConfig) -> Pipeline:
    """Make the model, its data, criterion and optimizer, on the GPU if there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(config.seed)
    model = ConvNet(config.kernels, config.classes).to(device)
    return Pipeline(
        model=model,
        train_loader=Loader(load(config.dataset, "train").to(device), config.batch_size, seed=config.seed),
        test_loader=Loader(load(config.dataset, "test").to(device), TEST_BATCH),
        criterion=nn.CrossEntropyLoss(),
        optimizer=make_optimizer(model, config),
    )


def make_optimizer(model: nn.Module, config: TrainConfig) -> Optimizer:
    """Make the optimizer that the config names."""
    if config.optimizer == "adam":
        return Adam(model.parameters(), lr=config.learning_rate)
    return SGD(model.parameters(), lr=config.learning_rate, momentum=0.9)


def train_loop(run: wandb.Run, pipeline: Pipeline, epochs: int) -> None:
    """Train, logging the loss on the way and `test_accuracy` after every epoch; a step is an example seen."""
    run.watch(pipeline.model, pipeline.criterion, log="all", log_freq=10)
    examples = 0
    for epoch in range(1, epochs + 1):
        for batch, (images, labels) in enumerate(pipeline.train_loader, start=1):
            loss = train_batch(pipeline, images, labels)
            examples += len(labels)
            if batch % LOG_EVERY == 0 or batch == len(pipeline.train_loader):
                run.log({"epoch": epoch, "loss": loss.item()}, step=examples)
        # Once an epoch, not once a run: early termination compares runs by these values.
        run.log({"test_accuracy": test(pipeline.model, pipeline.test_loader)}, step=examples)
    run.unwatch(pipeline.model)


def train_batch(pipeline: Pipeline, images: Tensor, labels: Tensor) -> Tensor:
    """Take one step and give the loss before it."""
    loss: Tensor = pipeline.criterion(pipeline.model(images), labels)
    pipeline.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch 2.15 leaves it so
    pipeline.optimizer.step()
    return loss.detach()


@torch.no_grad()
def test(model: nn.Module, loader: Loader) -> float:
    """Give the share of images that the model names rightly, from 0 to 1."""
    model.eval()
    right = sum(int((model(images).argmax(dim=1) == labels).sum()) for images, labels in loader)
    model.train()
    return right / len(loader.split)


def save(run: wandb.Run, model: nn.Module) -> None:
    """Export the net and keep it with the run as `model.onnx`."""
    path = Path(run.dir) / "model.onnx"  # the run's own directory: runs side by side never meet
    path.parent.mkdir(parents=True, exist_ok=True)  # WANDB_MODE=disabled makes none
    export_onnx(model, path)
    run.save(path, base_path=path.parent, policy="now")


if __name__ == "__main__":
    # `wandb agent` starts this file with the parameters as --key=value and hands them to wandb.init() as well:
    # the second way is the one that keeps their types, so the arguments need no parser.
    train()
