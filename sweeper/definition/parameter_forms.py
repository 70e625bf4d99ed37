"""The forms of one parameter in a sweep file, groups apart: each a pydantic model that knows its distribution.

They are those of W&B's schema (`sweeps` 0.3.0). Another form is one more model in `LEAVES`, and in `ParameterForm`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field
from pydantic_core import ErrorDetails, InitErrorDetails

from sweeper.definition.strict_model import MAX_WHOLE, Faults, Model, Number, Value, rule
from sweeper.definition.yaml_document import did_you_mean
from sweeper.space import distributions

SLACK = 1e-5
"""How far from 1 probabilities may sum, as in W&B: three of 0.333333 are fine."""
MAX_EXPONENT = 40
"""e^40 is 2e17: no parameter is that large, so such a `log_uniform` was given values instead of exponents."""


def _exp(exponent: float) -> float:
    """Give e to a power, never infinite and never 0; `_check_exponents` refuses what is cut here."""
    return math.exp(min(700.0, max(-700.0, exponent)))


class Form(Model):
    """What the forms share, groups apart."""

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        raise NotImplementedError

    @classmethod
    def _explained(cls, detail: ErrorDetails) -> InitErrorDetails:
        if detail["type"] != "extra_forbidden":
            return super()._explained(detail)
        key = detail["loc"][-1]
        name = next(name for name, form in LEAVES.items() if form is cls)
        found = f"`{key}` does not belong to `{name}`" if key in KEYS else "unknown key"
        meant = "" if key in KEYS else did_you_mean(key, KEYS)
        fix = meant if meant.startswith("did") else f"it takes {', '.join(cls.model_fields)}"
        return InitErrorDetails(type=rule(found, fix), loc=detail["loc"], input=detail["input"])


class Constant(Form):
    """`value: X`: every run gets X."""

    distribution: Literal["constant"] = "constant"
    """Optional here: `value` says it."""
    value: Value
    """The value that every run gets, of any type."""

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.Categorical((self.value,))


class Categorical(Form):
    """`values: [...]`: one of them, each as likely as the others."""

    distribution: Literal["categorical"] = "categorical"
    """Optional here: `values` says it."""
    values: list[Value] = Field(min_length=1)
    """The values to choose from, of any type."""

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.Categorical(tuple(self.values))


class Weighted(Form):
    """`values` with `probabilities`: one of them, some likelier than others."""

    distribution: Literal["categorical_w_probabilities"] = "categorical_w_probabilities"
    """Optional here: `probabilities` says it."""
    values: list[Value] = Field(min_length=1)
    """The values to choose from, of any type."""
    probabilities: list[Number] = Field(min_length=1)
    """The probability of each value; they sum to 1."""

    def _check_weights_fit(self) -> Faults:
        given = self.probabilities
        if len(given) != len(self.values):
            yield rule(f"{len(given)} for {len(self.values)} values", "give one for each value", "probabilities")
        elif min(given) < 0 or abs(sum(given) - 1) > SLACK:
            yield rule(f"they sum to {sum(given):g}", "make them sum to 1, none below 0", "probabilities")

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.Categorical(tuple(self.values), tuple(map(float, self.probabilities)))


class _Range(Form):
    min: Number
    """The lower limit."""
    max: Number
    """The upper limit."""

    def _check_ordered(self) -> Faults:
        if self.min >= self.max:
            found = f"min {self.min:g} is not below max {self.max:g}"
            yield rule(found, "swap them, or use `value:` for a constant", "min")


class IntUniform(_Range):
    """`min`, `max` whole: an integer between them, both included."""

    distribution: Literal["int_uniform"] = "int_uniform"
    """Optional here: whole limits say it."""
    min: int = Field(ge=-MAX_WHOLE, le=MAX_WHOLE)
    """The smallest integer; whole limits make integers, limits with a point make real numbers."""
    max: int = Field(ge=-MAX_WHOLE, le=MAX_WHOLE)
    """The largest integer."""

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.IntUniform(self.min, self.max)


class Uniform(_Range):
    """`min`, `max`: a real number between them."""

    distribution: Literal["uniform"] = "uniform"
    """Optional if both limits are written with a point."""

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.Uniform(self.min, self.max)


class LogUniformValues(_Range):
    """`log_uniform_values`: a number whose logarithm is uniform. The one to use for learning rates."""

    distribution: Literal["log_uniform_values"]
    """The name of the distribution."""
    min: Number = Field(json_schema_extra={"exclusiveMinimum": 0})
    """The smallest value (not an exponent), above 0."""
    max: Number
    """The largest value (not an exponent)."""

    def _check_positive(self) -> Faults:
        if self.min < 0:
            meant = f"min: {_exp(self.min):.3g}, max: {_exp(self.max):.3g}"
            found = f"min {self.min:g} is negative: give values, not exponents"
            yield rule(found, f"if these are powers of e, write {meant}", "min")
        elif self.min == 0:
            yield rule("min is 0, which has no logarithm", "take a small number, such as 0.00001", "min")

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.LogUniform(self.min, self.max)


class InvLogUniformValues(LogUniformValues):
    """`inv_log_uniform_values`: a number whose inverse is log-uniform: so it is, as with `log_uniform_values`."""

    distribution: Literal["inv_log_uniform_values"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class LogUniform(_Range):
    """`log_uniform`: e to a uniform power. W&B calls it deprecated: use `log_uniform_values`."""

    distribution: Literal["log_uniform"]
    """The name of the distribution."""
    min: Number
    """The smallest exponent of e: -9.21 means 0.0001."""
    max: Number
    """The largest exponent of e: -2.3 means 0.1."""

    def _check_exponents(self) -> Faults:
        low, high = float(self.min), float(self.max)
        if low >= high:
            return
        fix = "write `distribution: log_uniform_values` for values"
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
        """Give the distribution of its values."""
        return distributions.LogUniform(*self._values())


class InvLogUniform(LogUniform):
    """`inv_log_uniform`: 1 over e to a uniform power. W&B calls it deprecated: use `log_uniform_values`."""

    distribution: Literal["inv_log_uniform"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""
    min: Number
    """The smallest exponent: the largest value is e^-min."""
    max: Number
    """The largest exponent: the smallest value is e^-max."""

    def _values(self) -> tuple[float, float]:
        return _exp(-self.max), _exp(-self.min)


class Normal(Form):
    """`normal`: a real number around `mu`, without limits."""

    distribution: Literal["normal"]
    """The name of the distribution."""
    mu: Number = 0.0
    """The mean."""
    sigma: Number = Field(default=1.0, json_schema_extra={"minimum": 0})
    """The standard deviation."""

    def _check_spread(self) -> Faults:
        if self.sigma < 0:
            yield rule(f"sigma {self.sigma:g} is negative", "give the standard deviation, 0 or more", "sigma")

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.Normal(self.mu, self.sigma)


class LogNormal(Normal):
    """`log_normal`: a positive number whose logarithm is normal."""

    distribution: Literal["log_normal"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""
    mu: Number = 0.0
    """The mean of the logarithm."""
    sigma: Number = Field(default=1.0, json_schema_extra={"minimum": 0})
    """The standard deviation of the logarithm."""

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.LogNormal(self.mu, self.sigma)


class Beta(Form):
    """`beta`: a real number between 0 and 1."""

    distribution: Literal["beta"]
    """The name of the distribution."""
    a: Number = Field(default=1, json_schema_extra={"exclusiveMinimum": 0})
    """The first shape: the larger, the nearer to 1."""
    b: Number = Field(default=1, json_schema_extra={"exclusiveMinimum": 0})
    """The second shape: the larger, the nearer to 0."""

    def _check_shaped(self) -> Faults:
        for name in ("a", "b"):
            if getattr(self, name) <= 0:
                yield rule(f"{name} {getattr(self, name):g} is not above 0", "take more than 0, such as 1", name)

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        return distributions.Beta(self.a, self.b)


class _Quantized(Form):
    q: Number = Field(default=1.0, json_schema_extra={"exclusiveMinimum": 0})
    """The step: values are multiples of it inside the limits. A whole step makes whole numbers."""

    def _check_steps(self) -> Faults:
        if self.q <= 0:
            yield rule(f"q {self.q:g} is not above 0", "take the distance between two values, such as 1", "q")

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        inner: Any = super().to_distribution()  # of the form beside it in the bases
        return distributions.Quantized(inner, self.q)


class _QuantizedRange(_Quantized, _Range):
    def _check_reachable(self) -> Faults:
        made = self.to_distribution() if self.min < self.max and self.q > 0 else None
        if isinstance(made, distributions.Quantized) and not made.steps:
            yield rule(f"no multiple of q {self.q:g} lies between min and max", "take a smaller q", "q")


class QUniform(_QuantizedRange, Uniform):
    """`q_uniform`: a uniform number rounded to multiples of q."""

    distribution: Literal["q_uniform"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QLogUniformValues(_QuantizedRange, LogUniformValues):
    """`q_log_uniform_values`: a log-uniform number rounded to multiples of q. The one to use for batch sizes."""

    distribution: Literal["q_log_uniform_values"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QLogUniform(_QuantizedRange, LogUniform):
    """`q_log_uniform`: e to a uniform power, rounded to multiples of q. Deprecated: use `q_log_uniform_values`."""

    distribution: Literal["q_log_uniform"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QNormal(_Quantized, Normal):
    """`q_normal`: a normal number rounded to multiples of q."""

    distribution: Literal["q_normal"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QLogNormal(_Quantized, LogNormal):
    """`q_log_normal`: a log-normal number rounded to multiples of q."""

    distribution: Literal["q_log_normal"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


class QBeta(_Quantized, Beta):
    """`q_beta`: a beta number rounded to multiples of q."""

    distribution: Literal["q_beta"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""


LEAVES: Mapping[str, type[Form]] = {
    "constant": Constant,
    "categorical": Categorical,
    "categorical_w_probabilities": Weighted,
    "int_uniform": IntUniform,
    "uniform": Uniform,
    "q_uniform": QUniform,
    "log_uniform_values": LogUniformValues,
    "q_log_uniform_values": QLogUniformValues,
    "inv_log_uniform_values": InvLogUniformValues,
    "normal": Normal,
    "q_normal": QNormal,
    "log_normal": LogNormal,
    "q_log_normal": QLogNormal,
    "beta": Beta,
    "q_beta": QBeta,
    "log_uniform": LogUniform,
    "q_log_uniform": QLogUniform,
    "inv_log_uniform": InvLogUniform,
}
"""Distribution -> its form."""

KEYS = (*dict.fromkeys(field for form in LEAVES.values() for field in form.model_fields), "parameters")
"""Every key that some form has."""
