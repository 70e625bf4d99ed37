"""What the trainer's tests share: one thread, few images, a cache of their own, and W&B without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
import wandb

from trainer.checkpoint import Checkpoint
from trainer.config import TrainConfig
from trainer.data import Data, Split, load
from trainer.loop import Training


@dataclass
class RunDouble:
    """A W&B run that only remembers what was logged: the outermost edge of the trainer."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    watched: list[dict[str, Any]] = field(default_factory=list)
    starting_step: int = 0
    offline: bool = False

    def log(self, values: dict[str, Any], *, step: int) -> None:
        """Merge values into the row of their step, as W&B does, which ignores steps that a run has behind it."""
        assert step >= self.starting_step
        self.rows.setdefault(step, {}).update(values)

    def watch(self, *_args: Any, **options: Any) -> None:
        """Note that somebody wants histograms."""
        self.watched.append(options)

    def unwatch(self, *_args: Any) -> None:
        """Watch nothing."""


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Keep torch to one thread: on a busy machine two are slower than one."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a user's cache directory, shared by the tests of one process."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.delenv("SWEEPER_CHECKPOINT_DIR", raising=False)


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
        "WANDB_DATA_DIR": str(tmp_path),
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
def digits() -> Data:
    """Give few digits: 500 to train on, 200 each to validate and to test."""
    data = load("digits")
    return replace(
        data, train=_first(data.train, 500), validation=_first(data.validation, 200), test=_first(data.test, 200)
    )


@pytest.fixture
def fit(digits: Data, tmp_path: Path) -> Callable[..., Training]:
    """Give a function that trains on few digits, without interruption unless one is given."""

    def fit_them(run: Any, config: TrainConfig, preempted: Event | None = None) -> Training:
        training = Training(config, digits)
        training.fit(run, Checkpoint(tmp_path / "checkpoint"), preempted or Event())
        return training

    return fit_them


def _first(split: Split, n: int) -> Split:
    return Split(split.images[:n], split.labels[:n])
