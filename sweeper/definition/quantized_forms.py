"""The forms of a parameter that are rounded to multiples of a step: each another form with a `q`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from sweeper.definition.log_uniform_forms import LogUniformForm, LogUniformValuesForm
from sweeper.definition.parameter_forms import (
    BetaForm,
    Form,
    FormWarning,
    LogNormalForm,
    NormalForm,
    RangeForm,
    UniformForm,
)
from sweeper.definition.strict_model import Faults, Number, reads, rule
from sweeper.space.quantized import Quantized


class QuantizedForm(Form):
    """A form's first base: what it adds to the one beside it."""

    q: Number = Field(default=1.0, json_schema_extra={"exclusiveMinimum": 0})
    """The step: values are multiples of it inside the limits. A whole step makes whole numbers."""

    @reads("q")
    def _check_steps(self) -> Faults:
        if self.q <= 0:
            yield rule(f"q {self.q:g} is not above 0", "take the distance between two values, such as 1", "q")

    def to_distribution(self) -> Quantized:
        """Round what the form beside it gives."""
        inner: Any = super().to_distribution()  # of the form beside it in the bases
        return Quantized(inner, self.q)

    def range_text(self) -> str:
        """Add the step."""
        return f"{super().range_text()}, step {self.q:g}"


class QuantizedRangeForm(QuantizedForm, RangeForm):
    """The same with limits, which need not be multiples."""

    @reads("min", "max", "q")
    def _check_reachable(self) -> Faults:
        if self.min < self.max and self.q > 0 and not self.to_distribution().steps:
            yield rule(f"no multiple of q {self.q:g} lies between min and max", "take a smaller q", "q")

    def warnings(self) -> Iterator[FormWarning]:
        """Name the values that W&B would take outside the limits; ours stay inside."""
        yield from super().warnings()
        # W&B's engine (`sweeps` 0.3.0) rounds and does not look at the limits again
        made = self.to_distribution()
        limits = made.distribution.ppf(0.0), made.distribution.ppf(1.0)
        outside = [value for limit in limits if not limits[0] <= (value := round(limit / made.q) * made.q) <= limits[1]]
        if outside and not any(math.isclose(value, limit) for value in outside for limit in limits):
            text = " and ".join(f"{value:g}" for value in outside)
            found = f"W&B's own engine would also give {text}, outside of the limits; ours does not"
            yield "q", found, "take limits that are multiples of q"


class QUniformForm(QuantizedRangeForm, UniformForm):
    """`q_uniform`: a uniform number rounded to multiples of q."""

    distribution: Literal["q_uniform"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QLogUniformValuesForm(QuantizedRangeForm, LogUniformValuesForm):
    """`q_log_uniform_values`: a log-uniform number rounded to multiples of q. The one to use for batch sizes."""

    distribution: Literal["q_log_uniform_values"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QLogUniformForm(QuantizedRangeForm, LogUniformForm):
    """`q_log_uniform`: e to a uniform power, rounded to multiples of q. Deprecated: use `q_log_uniform_values`."""

    distribution: Literal["q_log_uniform"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QNormalForm(QuantizedForm, NormalForm):
    """`q_normal`: a normal number rounded to multiples of q."""

    distribution: Literal["q_normal"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QLogNormalForm(QuantizedForm, LogNormalForm):
    """`q_log_normal`: a log-normal number rounded to multiples of q."""

    distribution: Literal["q_log_normal"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QBetaForm(QuantizedForm, BetaForm):
    """`q_beta`: a beta number rounded to multiples of q."""

    distribution: Literal["q_beta"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


QUANTIZED_FORMS: tuple[type[Form], ...] = (
    QUniformForm,
    QLogUniformValuesForm,
    QNormalForm,
    QLogNormalForm,
    QBetaForm,
    QLogUniformForm,
)
"""The forms of this module, as `PLAIN_FORMS`."""
