"""The knobs of one run: everything a sweep may vary, with the tutorial's defaults."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError
from pydantic_core import ErrorDetails


class ConfigError(ValueError):
    """The parameters of a run are not ones this trainer can use."""


class TrainConfig(BaseModel):
    """The parameters of one run, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # Passes over the training images; test_accuracy is logged after each, so early termination sees one value a pass.
    epochs: PositiveInt = 5
    # Outputs of the net, one a class. The digits are ten classes: fewer outputs could not name them all.
    classes: int = Field(10, ge=10)
    # Channels of the two convolution blocks; cost grows with their product.
    kernels: tuple[PositiveInt, PositiveInt] = (16, 32)
    # Images per step.
    batch_size: PositiveInt = 128
    # Step size of the optimizer; search it on a log scale.
    learning_rate: PositiveFloat = 0.005
    # "digits": 8,000 + 2,000 images shipped with the trainer. "MNIST": the full 60,000 + 10,000, downloaded once.
    dataset: Literal["digits", "MNIST"] = "MNIST"
    # A label for the run's page, as in the tutorial: there is one architecture.
    architecture: Literal["CNN"] = "CNN"
    # "adam", or "sgd" with momentum 0.9.
    optimizer: Literal["adam", "sgd"] = "adam"
    # Fixes the first weights and the order of the images: the same seed gives the same run on a CPU.
    seed: NonNegativeInt = 0

    @classmethod
    def from_wandb(cls, config: Mapping[str, Any]) -> TrainConfig:
        """Read a run's config, defaults filled in; W&B's own `_wandb` keys are skipped.

        Raises:
            ConfigError: A key is unknown or a value impossible; the message has a line for each.
        """
        try:
            return cls.model_validate({k: v for k, v in config.items() if not k.startswith("_wandb")})
        except ValidationError as error:
            raise ConfigError("\n".join(_explain(fault) for fault in error.errors())) from None


def _explain(fault: ErrorDetails) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(key, TrainConfig.model_fields, n=1, cutoff=0)[0]
        return f"{key}: no such parameter; the nearest is {nearest!r}"
    return f"{key}: {fault['msg']}, not {fault['input']!r}"
