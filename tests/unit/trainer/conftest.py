"""What the trainer's tests share: one thread, few images, and W&B without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
import wandb

from trainer.config import TrainConfig
from trainer.data import Loader, Split
from trainer.train import Pipeline, make


@dataclass
class RunDouble:
    """A W&B run that only remembers what was logged: the outermost edge of the trainer."""

    rows: dict[int, dict[str, float]] = field(default_factory=dict)

    def log(self, values: dict[str, float], *, step: int) -> None:
        """Merge values into the row of their step, as W&B does."""
        self.rows.setdefault(step, {}).update(values)

    def watch(self, *_args: Any, **_kwargs: Any) -> None:
        """Watch nothing."""

    unwatch = watch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Keep torch to one thread: on a busy machine two are slower than one."""
    torch.set_num_threads(1)


@pytest.fixture
def run() -> Any:
    """Give a run that remembers its rows."""
    return RunDouble()


@pytest.fixture
def wandb_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep W&B offline and in a directory of the test's own; end its service process afterwards."""
    settings = {
        "WANDB_MODE": "offline",
        "WANDB_DIR": str(tmp_path),
        "WANDB_BASE_URL": "http://127.0.0.1:9",
        "WANDB_API_KEY": "k" * 40,
        "WANDB_SILENT": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    wandb.teardown()  # an earlier test may have left settings of its own
    yield tmp_path
    wandb.teardown()


@pytest.fixture
def small() -> Callable[..., Pipeline]:
    """Give a maker of pipelines that train and test on the first few digits only."""
    return _small


def _small(config: TrainConfig, images: int = 512) -> Pipeline:
    pipeline = make(config)
    return replace(
        pipeline,
        train_loader=Loader(_first(pipeline.train_loader, images), config.batch_size, seed=config.seed),
        test_loader=Loader(_first(pipeline.test_loader, 200), batch_size=100),
    )


def _first(loader: Loader, n: int) -> Split:
    return Split(loader.split.images[:n], loader.split.labels[:n])
