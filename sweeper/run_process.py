"""What happens inside the process of one run: pin, redirect, load the trainer, and let the SDK's agent call it."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from sweeper.errors import TrainerError
from sweeper.launch.base import LaunchDir, WorkerSpec
from sweeper.lifeline import die_with_parent
from sweeper.ref import SweepRef

Trainer = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Started:
    """The agent has a run and is about to call the trainer."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The trainer returned."""

    trainer_s: float


@dataclass(frozen=True, slots=True)
class Raised:
    """The trainer raised; `stopped` when it was the SDK's way of ending a run early."""

    trainer_s: float
    error: str
    stopped: bool


@dataclass(frozen=True, slots=True)
class SetupFailed:
    """There is no trainer to call; no run was taken."""

    error: str


Message = Started | Returned | Raised | SetupFailed


def load_trainer(target: str) -> Trainer:
    """Import `package.module:function`.

    Raises:
        TrainerError: The module cannot be imported or has no such function.
    """
    module_name, _, name = target.partition(":")
    try:
        trainer = getattr(importlib.import_module(module_name), name, None)
    except Exception as error:  # importing runs the user's code, which may raise anything
        message = f"cannot import {module_name}: {type(error).__name__}: {error}"
        raise TrainerError(message, "run the launch where `python -c 'import ...'` of it works") from error
    if not callable(trainer):
        raise TrainerError(f"{module_name} has no function {name!r}", "give --trainer package.module:function")
    function: Trainer = trainer
    return function


def run_process(spec: WorkerSpec, ticket: int, sender: Connection) -> None:
    """Take one run from the server and call the trainer on it.

    Args:
        spec: The worker's orders.
        ticket: The right to this run; names its log.
        sender: Where to report.
    """
    die_with_parent()
    _redirect(LaunchDir(Path(spec.directory)).run_log(ticket))
    # a forkserver's child has the server's environment; CUDA reads this at its first call
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # noqa: TID251 nvidia-smi's order, not "fastest first"
    os.environ["CUDA_VISIBLE_DEVICES"] = spec.slot.device  # noqa: TID251
    try:
        trainer = load_trainer(spec.trainer)
    except TrainerError as error:
        sender.send(SetupFailed(error.message))
        return
    from sweeper import wandb_client

    signal.signal(signal.SIGINT, _interrupt)
    wandb_client.run_agent(SweepRef.parse(spec.sweep), _reporting(trainer, sender))


def _redirect(log: Path) -> None:
    """Send what the run prints, in Python and in C, to its log."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End the run as a person's stop: its data sent, its state `killed`, then out of the agent."""
    from sweeper import wandb_client

    wandb_client.finish_interrupted()
    raise KeyboardInterrupt


def _reporting(trainer: Trainer, sender: Connection) -> Trainer:
    def report() -> None:
        sender.send(Started(os.environ["WANDB_RUN_ID"]))  # noqa: TID251 set by the agent for this run
        began = time.monotonic()
        try:
            trainer()
        except BaseException as error:
            # the SDK's agent stops a run by raising a bare Exception in its thread (wandb 0.31)
            stopped = type(error) is Exception and not error.args
            sender.send(Raised(time.monotonic() - began, _one_line(error), stopped))
            raise
        sender.send(Returned(time.monotonic() - began))

    return report


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__
