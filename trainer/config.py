"""The knobs of one run: everything a sweep may vary, with the tutorial's defaults."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

Dataset = Literal["digits", "MNIST", "FashionMNIST", "KMNIST", "CIFAR10"]
Share = Annotated[float, Field(ge=0, lt=1)]

IMAGE_SIDE: dict[Dataset, int] = {"digits": 28, "MNIST": 28, "FashionMNIST": 28, "KMNIST": 28, "CIFAR10": 32}
"""Pixels; the net takes its sizes from the images themselves, this serves to refuse a net too deep before."""


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise PydanticCustomError("odd", "Input should be odd")
    return value


class ConfigError(ValueError):
    """The parameters of a run are not ones this trainer can use."""


class TrainConfig(BaseModel):
    """The parameters of one run, checked. The text below a knob is its comment and its `--help`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    # What the tutorial has, with its values.

    epochs: PositiveInt = 5
    """Passes over the training images; val_accuracy is logged after each: one value a pass for early termination."""
    classes: int = Field(10, ge=10)
    """Outputs of the net. Every data set here has ten classes: fewer outputs could not name them all."""
    kernels: Annotated[tuple[PositiveInt, ...], Field(min_length=2)] = (16, 32)
    """Channels of each convolution block, one block per number; each block halves the sides of the image."""
    batch_size: PositiveInt = 128
    """Images per step."""
    learning_rate: PositiveFloat = 0.005
    """Step size of the optimizer, at its highest; search it on a log scale."""
    dataset: Dataset = "MNIST"
    """digits: 10,000 images shipped with the trainer. The others are downloaded once."""
    architecture: Literal["CNN"] = "CNN"
    """A label for the run's page, as in the tutorial: there is one architecture."""

    # The net.

    kernel_size: Annotated[int, Field(ge=1, le=11), AfterValidator(_odd)] = 5
    """Sides of a convolution, in pixels; odd, so that it has a middle."""
    activation: Literal["relu", "leaky_relu", "gelu", "silu"] = "relu"
    """The function between convolution and next block."""
    dropout: Share = 0.0
    """Share of the last layer's inputs that are dropped in training."""

    # The steps.

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """adam, adamw (weight decay apart from the gradient), or sgd with momentum."""
    momentum: Share = 0.9
    """Momentum of sgd; the others ignore it."""
    weight_decay: NonNegativeFloat = 0.0
    """How strongly weights are drawn to zero."""
    schedule: Literal["constant", "cosine", "one-cycle"] = "constant"
    """Learning rate over the run. cosine falls to 0; one-cycle rises for 30 % of the steps first."""
    warmup: Share = 0.0
    """Share of the steps in which the learning rate rises linearly from 0; one-cycle takes 0.3 at least."""
    label_smoothing: Share = 0.0
    """Share of a label's weight that is spread over all classes."""

    # The images.

    shift: NonNegativeFloat = 0.0
    """Augmentation: each training image moves by up to so many pixels, both ways."""
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Augmentation: each training image turns by up to so many degrees, both ways."""

    # The machine.

    dtype: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the net; bf16 is faster where the hardware has it, and fp32 where not. Weights stay fp32."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Fixes the first weights and all that is drawn: the same seed gives the same run on a CPU."""
    keep: Literal["best", "last"] = "best"
    """Whose weights are tested and exported: those of the epoch with the best val_accuracy, or the tutorial's last."""
    watch: bool = True
    """Whether gradients and weights are logged as histograms every 10 batches (`wandb.watch`)."""

    @model_validator(mode="after")
    def _fits_the_image(self) -> TrainConfig:
        side, blocks = IMAGE_SIDE[self.dataset], len(self.kernels)
        if side >> blocks == 0:
            most = side.bit_length() - 1
            text = "kernels: {n} blocks halve {side} pixels to nothing; {dataset} takes {most} at most"
            facts = {"n": blocks, "side": side, "dataset": self.dataset, "most": most}
            raise PydanticCustomError("kernels", text, facts)
        return self

    @classmethod
    def from_wandb(cls, config: Mapping[str, Any]) -> TrainConfig:
        """Check a run's config and fill in defaults; W&B's own `_wandb` keys are skipped.

        Raises:
            ConfigError: A key is unknown or a value impossible; the message has a line for each.
        """
        try:
            return cls.model_validate({k: v for k, v in config.items() if not k.startswith("_wandb")})
        except ValidationError as error:
            raise ConfigError("\n".join(_explain(fault) for fault in error.errors())) from None


def _explain(fault: ErrorDetails) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if not key:  # a rule over several knobs names them itself
        return fault["msg"]
    if fault["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(key, TrainConfig.model_fields, n=1, cutoff=0)[0]
        return f"{key}: no such parameter; the nearest is {nearest!r}"
    return f"{key}: {fault['msg']}, not {fault['input']!r}"
