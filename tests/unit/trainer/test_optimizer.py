"""The optimizers are PyTorch's to the last bit, and cost no run the import of what compiles nets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW

from trainer.config import TrainConfig
from trainer.optimizer import FusedOptimizer

ROOT = Path(__file__).parents[3]
CPU = torch.device("cpu")
KNOBS: list[dict[str, Any]] = [
    {},
    {"optimizer": "adam", "weight_decay": 0.02},
    {"optimizer": "adamw", "weight_decay": 0.02},
    {"optimizer": "sgd", "weight_decay": 0.02},
    {"optimizer": "sgd", "momentum": 0.0},
]


def _theirs(net: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    rate, decay = torch.tensor(config.learning_rate), config.weight_decay
    if config.optimizer == "sgd":
        return SGD(net.parameters(), lr=rate, momentum=config.momentum, weight_decay=decay, fused=True)
    kind = Adam if config.optimizer == "adam" else AdamW
    return kind(net.parameters(), lr=rate, weight_decay=decay, fused=True)


def _step(net: nn.Module, optimizer: Any, images: torch.Tensor) -> None:
    optimizer.zero_grad()
    net(images).square().sum().backward()
    optimizer.step()


def _pair(**knobs: Any) -> tuple[nn.Module, FusedOptimizer, nn.Module, torch.optim.Optimizer]:
    config = TrainConfig(dataset="digits", learning_rate=0.02, **knobs)
    mine, theirs = nn.Linear(12, 5), nn.Linear(12, 5)
    theirs.load_state_dict(mine.state_dict())
    return mine, FusedOptimizer(mine.parameters(), config, CPU), theirs, _theirs(theirs, config)


def _same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("knobs", KNOBS, ids=str)
def test_a_step_is_that_of_pytorchs_class(knobs: dict[str, Any]) -> None:
    """After twenty steps, at a rate that changes, the weights are equal to the last bit."""
    mine, optimizer, theirs, reference = _pair(**knobs)
    for number in range(20):
        images = torch.rand(3, 12)
        for rate in (optimizer.rate, reference.param_groups[0]["lr"]):
            rate.fill_(0.02 / (1 + number))
        _step(mine, optimizer, images)
        _step(theirs, reference, images)
    assert _same(mine, theirs)


@pytest.mark.parametrize("steps", [0, 7])
@pytest.mark.parametrize("knobs", KNOBS, ids=str)
def test_a_state_is_gone_on_from_whoever_saved_it(knobs: dict[str, Any], steps: int) -> None:
    """A checkpoint of this class, or of an older trainer, which used PyTorch's, leads to the same weights."""
    for source in (0, 1):
        mine, optimizer, theirs, reference = _pair(**knobs)
        for _ in range(steps):
            images = torch.rand(3, 12)
            _step(mine, optimizer, images)
            _step(theirs, reference, images)
        saved = (optimizer, reference)[source].state_dict()
        after, continued, *_ = _pair(**knobs)
        after.load_state_dict(mine.state_dict())
        continued.load_state_dict(saved)
        images = torch.rand(3, 12)
        _step(after, continued, images)
        _step(mine, optimizer, images)
        assert _same(after, mine)


def test_a_learning_rate_is_the_runs(run: Any, fit: Callable[..., Any]) -> None:
    """What the schedule says of a step reaches the weights: a rate of nearly nothing changes nothing."""
    config = TrainConfig(dataset="digits", kernels=(4, 8), epochs=1, learning_rate=1e-30, optimizer="sgd")
    trained = fit(run, config)
    torch.manual_seed(config.seed)
    fresh = type(trained)(config, trained.data)
    assert _same(trained.model, fresh.model)


AHEAD = """
import sys
from sweeper.worker.preload import import_trainer
import_trainer("trainer.train")
print([name in sys.modules for name in ("trainer.loop", "trainer.report", "torch._dynamo")])
"""


def test_a_launch_imports_all_of_the_trainer_ahead_and_no_compiler() -> None:
    """What all runs need is imported once; what none needs, and nobody should wait for, is not."""
    done = subprocess.run(
        [sys.executable, "-c", AHEAD], cwd=ROOT, capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.strip() == "[True, True, False]"


TRAINS = """
import sys
from trainer.train import CONFIG, train
train(CONFIG(dataset="digits", epochs=1, kernels=(4, 8), batch_size=512, dtype=sys.argv[1]))
print([name for name in ("torch._dynamo", "torch._inductor", "sympy", "triton", "torchvision") if name in sys.modules])
"""


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_whole_run_imports_no_compiler(tmp_path: Path, dtype: str) -> None:
    """PyTorch's compiler, 900 modules, takes as long to import as PyTorch; no part of a run needs it."""
    environ = {"HOME": str(tmp_path), "PATH": "", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environ |= {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path)}
    command = [sys.executable, "-c", TRAINS, dtype]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
