"""Train a ConvNet with the parameters of one W&B run: the whole of a run is in `train`.

Agents call `train` (`trainer.train:train`); `wandb agent` starts this file (`program: trainer/train.py`); and without
any sweep or server it runs alone:

    python -m trainer.train --epochs 1 --learning-rate 0.01

Heavy modules are imported where they are used: `sweeper check` imports this one to read CONFIG and METRICS.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from trainer.config import ConfigError, TrainConfig

CONFIG = TrainConfig
"""The parameters this trainer knows."""

METRICS = (
    *("epoch", "loss", "train_loss", "train_accuracy", "val_loss", "val_accuracy"),
    *("learning_rate", "images_per_s", "gpu_peak_mib", "best_val_accuracy", "best_epoch", "train_s"),
    *("test_loss", "test_accuracy", "confusion_matrix_table", "worst_mistakes", "worst_images"),
    *("onnx_opset", "onnx_inputs", "onnx_max_difference"),
)
"""Every key it logs or writes into the summary. A sweep optimises val_accuracy: the test set is looked at once."""

PRELOAD = ("torch", "trainer.checkpoint", "trainer.data", "trainer.loop", "trainer.machine", "trainer.report")
"""What `train` imports, and `sweeper launch` before it, once for all runs."""

PREEMPTED_EXIT_CODE = 128 + signal.SIGTERM


def train(given: TrainConfig | None = None, *, mode: Literal["offline"] | None = None) -> None:
    """Train, test and save one net.

    Args:
        given: The parameters of a run without a sweep; what a sweep sets wins over them.
        mode: `wandb.init`'s; by default what the environment says.

    Raises:
        ConfigError: The run's config has an unknown key or an impossible value.
    """
    import torch
    import wandb

    from trainer.checkpoint import Checkpoint
    from trainer.data import load
    from trainer.loop import PreemptedError, Training
    from trainer.machine import keep_freed_memory
    from trainer.report import report_test, save_model

    keep_freed_memory()
    defaults = (given or CONFIG()).model_dump(mode="json")
    resume: Literal["allow"] | None = "allow" if Checkpoint.waits() else None
    with sigterm() as preempted, wandb.init(config=defaults, mode=mode, resume=resume) as run:
        config = CONFIG.from_wandb(dict(run.config))
        data = load(config.dataset).to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        training, checkpoint = Training(config, data), Checkpoint.of(run.id)
        if state := checkpoint.load(config.model_dump(mode="json")):
            training.restore(state)
            training.catch_up(run)
        try:
            training.fit(run, checkpoint, preempted)
        except PreemptedError:
            run.mark_preempting()
            run.finish(exit_code=PREEMPTED_EXIT_CODE)
            sys.exit(PREEMPTED_EXIT_CODE)
        except Exception:  # stopped early, or wrong: it would be again
            if not checkpoint.lent:
                checkpoint.remove()
            raise
        run.summary["train_s"] = round(training.at.train_s, 3)
        save_model(run, training)  # first: it is sent while the rest is computed
        report_test(run, training)
    checkpoint.remove()  # not before all is sent: a process that is killed until then goes on from here


@contextmanager
def sigterm() -> Iterator[threading.Event]:
    """Give an event that SIGTERM sets instead of ending the process, where this is the main thread (Python's rule)."""
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: came.set())
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, before)


def main(argv: Sequence[str] | None = None) -> None:
    """Run alone, with the parameters of the command line, or as the program of a `wandb agent`."""
    if os.environ.get("WANDB_SWEEP_ID"):  # noqa: TID251 the agent says so
        # The agent gives the parameters as --key=value and to wandb.init(), which keeps their types.
        train()
        return
    parser = make_parser()
    try:
        config = CONFIG.from_wandb(vars(parser.parse_args(argv)))
    except ConfigError as error:
        parser.error(str(error))
    train(config, mode=None if _can_log_in() else "offline")


def make_parser() -> argparse.ArgumentParser:
    """Make a command line of all knobs, each with its comment."""
    parser = argparse.ArgumentParser(
        prog="python -m trainer.train", description=__doc__.splitlines()[0], argument_default=argparse.SUPPRESS
    )
    for name, knob in CONFIG.model_fields.items():
        default = json.dumps(knob.default)
        text = f"{knob.description} Default: {default}".replace("%", "%%")  # argparse reads a % as a format
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, type=_value, metavar="X", help=text)
        if "_" in name:  # as a sweep file spells it
            parser.add_argument(f"--{name}", dest=name, type=_value, help=argparse.SUPPRESS)
    return parser


def _value(text: str) -> Any:
    """Read JSON, such as `[8, 16]` or `false`; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _can_log_in() -> bool:
    """Whether W&B is set up; where it is not, a run is kept in ./wandb instead of asking for a key."""
    import wandb

    return "WANDB_MODE" in os.environ or wandb.login(prompt=False)  # noqa: TID251 the user has decided


if __name__ == "__main__":
    main()
