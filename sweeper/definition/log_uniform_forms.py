"""The log-uniform forms of a parameter, whose limits are values in two of them and exponents of e in the others.

Half of this module finds those who took one for the other: such a sweep runs without an error and searches nonsense.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from sweeper.definition.parameter_forms import Form, FormWarning, RangeForm
from sweeper.definition.strict_model import Faults, Number, reads, rule
from sweeper.space import distributions

MAX_EXPONENT = 40
"""e^40 is 2e17: no parameter is that large, so such a `log_uniform` was given values instead of exponents."""


def _exp(exponent: float) -> float:
    """Give e to a power, never infinite and never 0; `_check_exponents` refuses what is cut here."""
    return math.exp(min(700.0, max(-700.0, exponent)))


class LogUniformValuesForm(RangeForm):
    """`log_uniform_values`: a number whose logarithm is uniform. The one to use for learning rates."""

    distribution: Literal["log_uniform_values"]
    """The name of the distribution."""
    min: Number = Field(json_schema_extra={"exclusiveMinimum": 0})
    """The smallest value (not an exponent), above 0."""
    max: Number
    """The largest value (not an exponent)."""

    @reads("min", "max")
    def _check_values_are_no_exponents(self) -> Faults:
        # taken over from W&B's older `log_uniform`, whose limits are exponents
        if self.min < 0:
            meant = f"min: {_exp(self.min):.3g}, max: {_exp(self.max):.3g}"
            found = f"min {self.min:g} is negative: give values, not exponents"
            yield rule(found, f"if these are powers of e, write {meant}", "min")

    @reads("min")
    def _check_min_has_a_logarithm(self) -> Faults:
        if self.min == 0:
            yield rule("min is 0, which has no logarithm", "take a small number, such as 0.00001", "min")

    def to_distribution(self) -> distributions.Distribution:
        """Take the limits as they stand."""
        return distributions.LogUniform(self.min, self.max)


class InvLogUniformValuesForm(LogUniformValuesForm):
    """`inv_log_uniform_values`: a number whose inverse is log-uniform: so it is, as with `log_uniform_values`."""

    distribution: Literal["inv_log_uniform_values"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class LogUniformForm(RangeForm):
    """`log_uniform`: e to a uniform power. W&B calls it deprecated: use `log_uniform_values`."""

    distribution: Literal["log_uniform"]
    """The name of the distribution."""
    min: Number
    """The smallest exponent of e: -9.21 means 0.0001."""
    max: Number
    """The largest exponent of e: -2.3 means 0.1."""

    @reads("min", "max")
    def _check_exponents(self) -> Faults:
        low, high = float(self.min), float(self.max)
        if low >= high:
            return
        fix = "write `distribution: log_uniform_values` for values"
        # 0.001 to 0.1 as exponents would search from 1.001 to 1.105
        if low > 0 and high <= 1:
            least, most = self._values()
            found = f"min {low:g} and max {high:g} are exponents of e here: values from {least:.4g} to {most:.4g}"
            yield rule(found, fix, "min")
        if abs(low) > MAX_EXPONENT or abs(high) > MAX_EXPONENT:
            found = f"min {low:g} and max {high:g} are exponents of e here, which is out of reach"
            yield rule(found, fix, "max")

    def _values(self) -> tuple[float, float]:
        return _exp(self.min), _exp(self.max)

    def to_distribution(self) -> distributions.Distribution:
        """Take the limits as exponents of e."""
        return distributions.LogUniform(*self._values())

    def warnings(self) -> Iterator[FormWarning]:
        """Say which values the exponents stand for."""
        made = self.to_distribution()
        low, high = made.ppf(0.0), made.ppf(1.0)
        found = f"the limits are exponents of e: values from {low:.3g} to {high:.3g}; W&B calls this deprecated"
        fix = f"write `distribution: {self.distribution.replace('inv_', '')}_values`, min: {low:.3g}, max: {high:.3g}"
        yield "distribution", found, fix


class InvLogUniformForm(LogUniformForm):
    """`inv_log_uniform`: 1 over e to a uniform power. W&B calls it deprecated: use `log_uniform_values`."""

    distribution: Literal["inv_log_uniform"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""
    min: Number
    """The smallest exponent: the largest value is e^-min."""
    max: Number
    """The largest exponent: the smallest value is e^-max."""

    def _values(self) -> tuple[float, float]:
        return _exp(-self.max), _exp(-self.min)


LOG_UNIFORM_FORMS: tuple[type[Form], ...] = (
    LogUniformValuesForm,
    InvLogUniformValuesForm,
    LogUniformForm,
    InvLogUniformForm,
)
"""The forms of this module, as `PLAIN_FORMS`."""
