"""TrainConfig: the parameters of a run, checked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from trainer.config import ConfigError, TrainConfig


def test_defaults_are_the_tutorials() -> None:
    """Without parameters a run is the tutorial's run: its seven values, and nothing else switched on."""
    assert TrainConfig.from_wandb({}).model_dump(mode="json") == {
        "epochs": 5,
        "classes": 10,
        "kernels": [16, 32],
        "batch_size": 128,
        "learning_rate": 0.005,
        "dataset": "MNIST",
        "architecture": "CNN",
        "kernel_size": 5,
        "activation": "relu",
        "dropout": 0.0,
        "optimizer": "adam",
        "momentum": 0.9,
        "weight_decay": 0.0,
        "schedule": "constant",
        "warmup": 0.0,
        "label_smoothing": 0.0,
        "shift": 0.0,
        "rotate": 0.0,
        "dtype": "fp32",
        "seed": 0,
        "keep": "best",
        "watch": True,
    }


def test_every_knob_is_explained() -> None:
    """A knob without a comment would be one without a `--help`."""
    assert [name for name, knob in TrainConfig.model_fields.items() if not knob.description] == []


def test_keys_of_wandb_itself_are_skipped() -> None:
    """What W&B keeps in a run's config for itself is no parameter."""
    assert TrainConfig.from_wandb({"_wandb": {"cli_version": "0.31"}, "epochs": 2}).epochs == 2


@pytest.mark.parametrize("key", ["_epochs", "_", "wandb", "x_wandb"])
def test_no_other_key_is_skipped(key: str) -> None:
    """A parameter that the trainer does not know would be searched for nothing."""
    with pytest.raises(ConfigError, match=f"{key}: no such parameter"):
        TrainConfig.from_wandb({key: 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("epochs", 1),
            ("classes", 10),
            ("batch_size", 1),
            ("kernels", [1, 1]),
            ("kernel_size", 1),
            ("kernel_size", 11),
        ),
        *(("dropout", 0.0), ("dropout", 0.99), ("momentum", 0.0), ("warmup", 0.99), ("label_smoothing", 0.0)),
        *(("weight_decay", 0.0), ("shift", 0.0), ("rotate", 0.0), ("rotate", 180.0), ("seed", 0), ("seed", 2**32 - 1)),
    ],
)
def test_the_last_possible_value_is_taken(key: str, value: Any) -> None:
    """At each limit, on the right side of it."""
    assert TrainConfig.from_wandb({key: value}).model_dump(mode="json")[key] == value


def test_numbers_that_arrive_as_floats_or_text_are_read() -> None:
    """A whole float (q_uniform gives them) and a YAML 1e-4 (text to PyYAML) are the numbers they mean."""
    config = TrainConfig.from_wandb({"batch_size": 64.0, "kernel_size": 3.0, "learning_rate": "1e-4"})
    assert (config.batch_size, config.kernel_size, config.learning_rate) == (64, 3, 0.0001)


def test_unknown_key_is_named_with_the_nearest_known_one() -> None:
    """A misspelt key is an error that shows the right spelling."""
    with pytest.raises(ConfigError, match="learning_rat: no such parameter; the nearest is 'learning_rate'"):
        TrainConfig.from_wandb({"learning_rat": 0.1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("classes", 9),
        ("kernels", [16]),
        ("kernels", [16, 0]),
        ("kernels", [4, 4, 4, 4, 4]),
        ("kernel_size", 4),
        ("kernel_size", -1),
        ("kernel_size", 13),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("dataset", "CIFAR"),
        ("activation", "step"),
        ("dropout", 1.0),
        ("optimizer", "lion"),
        ("momentum", 1.0),
        ("weight_decay", -0.1),
        ("schedule", "sometimes"),
        ("warmup", 1.0),
        ("label_smoothing", -0.1),
        ("shift", -1),
        ("rotate", 181),
        ("dtype", "fp8"),
        ("seed", -1),
        ("seed", 2**32),
        ("keep", "first"),
        ("watch", "perhaps"),
    ],
)
def test_impossible_value_is_an_error_that_names_the_key(key: str, value: Any) -> None:
    """A value no run could train with is refused before it trains."""
    with pytest.raises(ConfigError, match=f"^{key}"):
        TrainConfig.from_wandb({key: value})


@pytest.mark.parametrize(("dataset", "most"), [("digits", 4), ("CIFAR10", 5)])
def test_depth_is_checked_against_the_image(dataset: str, most: int) -> None:
    """The deepest net halves the image to one pixel; one block more is refused with the number that fits."""
    assert TrainConfig.from_wandb({"dataset": dataset, "kernels": [4] * most})
    with pytest.raises(ConfigError, match=f"kernels: .* {dataset} takes {most} at most"):
        TrainConfig.from_wandb({"dataset": dataset, "kernels": [4] * (most + 1)})


def test_every_fault_is_told_at_once() -> None:
    """Two faults are two lines."""
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_wandb({"epochs": -1, "nesterov": 0.9})
    assert len(str(caught.value).splitlines()) == 2


def test_config_is_frozen() -> None:
    """The parameters of a run do not change under it."""
    with pytest.raises(ValidationError, match="frozen"):
        TrainConfig().epochs = 1  # type: ignore[misc]
