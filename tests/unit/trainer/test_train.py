"""The pipeline: it learns, repeats itself, logs what a sweep needs, and runs whole under W&B."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import wandb
import yaml

from trainer import train as trainer
from trainer.config import TrainConfig
from trainer.data import load
from trainer.model import ConvNet

CONFIG = TrainConfig(dataset="digits", kernels=(4, 8), batch_size=32)
Small = Callable[..., trainer.Pipeline]


@pytest.mark.parametrize(("optimizer", "learning_rate"), [("adam", 0.01), ("sgd", 0.05)])
def test_training_learns(run: Any, small: Small, optimizer: str, learning_rate: float) -> None:
    """Four passes over 512 digits bring the loss far below that of guessing, which is 2.3 with 10 % right."""
    config = CONFIG.model_copy(update={"optimizer": optimizer, "learning_rate": learning_rate})
    trainer.train_loop(run, small(config), epochs=4)
    last = run.rows[max(run.rows)]
    assert last["loss"] < 1.0
    assert last["test_accuracy"] > 0.6


def test_same_seed_gives_the_same_run(run: Any, small: Small) -> None:
    """Weights and logged values of two runs with one seed are equal to the last bit."""
    again = type(run)()
    pipelines = [small(CONFIG), small(CONFIG)]
    for recorder, pipeline in zip((run, again), pipelines, strict=True):
        trainer.train_loop(recorder, pipeline, epochs=1)
    assert run.rows == again.rows
    for one, two in zip(*(p.model.parameters() for p in pipelines), strict=True):
        assert torch.equal(one, two)


def test_another_seed_gives_another_run() -> None:
    """The seed reaches the first weights."""
    one, two = (trainer.make(CONFIG.model_copy(update={"seed": seed})).model for seed in (0, 1))
    assert not torch.equal(one.fc.weight, two.fc.weight)


def test_rows_are_placed_by_examples_seen(run: Any, small: Small) -> None:
    """The loss is logged every 25 batches and at each epoch's end, where test_accuracy joins it."""
    trainer.train_loop(run, small(CONFIG, images=1000), epochs=2)
    assert {step: sorted(row) for step, row in run.rows.items()} == {
        800: ["epoch", "loss"],
        1000: ["epoch", "loss", "test_accuracy"],
        1800: ["epoch", "loss"],
        2000: ["epoch", "loss", "test_accuracy"],
    }
    assert [row["epoch"] for row in run.rows.values()] == [1, 1, 2, 2]


def test_batch_larger_than_the_data_still_logs_each_epoch(run: Any, small: Small) -> None:
    """Early termination sees a value an epoch however few batches an epoch has."""
    trainer.train_loop(run, small(CONFIG.model_copy(update={"batch_size": 4096})), epochs=3)
    assert [sorted(row) for row in run.rows.values()] == [["epoch", "loss", "test_accuracy"]] * 3


def test_stop_of_an_agent_ends_the_training(run: Any, small: Small) -> None:
    """An agent stops a run by an exception raised in its thread: it comes out at once."""

    class Stop(Exception):  # noqa: N818 - a signal, not an error; wandb raises a bare Exception
        pass

    def stop(*_args: Any, **_kwargs: Any) -> None:
        raise Stop

    run.log = stop
    with pytest.raises(Stop):
        trainer.train_loop(run, small(CONFIG), epochs=1)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # wandb 0.31 and the sweep's parameter file
def test_run_of_a_sweep_saves_a_net_that_reads_digits(wandb_offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """train() takes its parameters from the agent and leaves model.onnx in the run's own directory."""
    parameters = {"dataset": "digits", "epochs": 1, "kernels": [4, 8], "learning_rate": 0.01}
    file = wandb_offline / "parameters.yaml"  # where an agent puts them
    file.write_text(yaml.safe_dump({"wandb_version": 1, **{k: {"value": v} for k, v in parameters.items()}}))
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep123")
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(file))

    trainer.train()

    (path,) = wandb_offline.glob("wandb/offline-run-*/files/model.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    digits = load("digits", "test")
    (logits,) = session.run(["logits"], {"images": digits.images.numpy().astype(np.float32) / 255})
    assert (logits.argmax(axis=1) == digits.labels.numpy()).mean() > 0.85


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # wandb 0.31 and the sweep's parameter file
def test_run_with_a_wrong_key_fails_before_it_trains(wandb_offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter that the trainer does not know fails the run instead of being ignored."""
    file = wandb_offline / "parameters.yaml"
    file.write_text("wandb_version: 1\nepoch: {value: 3}\n")
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep123")
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(file))
    with pytest.raises(ValueError, match="epoch: no such parameter; the nearest is 'epochs'"):
        trainer.train()


def test_disabled_wandb_still_gets_its_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with W&B switched off has no directory yet: saving makes it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where wandb 0.31 puts a disabled run
    with wandb.init(mode="disabled") as disabled:
        trainer.save(disabled, ConvNet((2, 2), classes=10))
    assert list(tmp_path.rglob("model.onnx"))
