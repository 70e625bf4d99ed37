"""The forms of one parameter in a sweep file: what they share, and the simple ones.

They are those of W&B's schema (`sweeps` 0.3.0). A form is a pydantic model that knows its distribution, how a person
reads its range, and what in it is probably not meant; it takes part once it stands in `PLAIN_FORMS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, get_args

from pydantic import Field
from pydantic_core import ErrorDetails, InitErrorDetails

from sweeper.definition.strict_model import MAX_WHOLE, Faults, Number, StrictModel, Value, reads, rule
from sweeper.definition.value_text import listed, plain
from sweeper.definition.yaml_document import did_you_mean
from sweeper.space import distributions
from sweeper.space.values import json_key

SLACK = 1e-5
"""How far from 1 probabilities may sum, as in W&B: three of 0.333333 are fine."""
FormWarning = tuple[str, str, str]
"""The key it is about, what was found, and what to write instead."""


class Form(StrictModel):
    """What the forms share, groups apart."""

    known_keys: ClassVar[tuple[str, ...]] = ()
    """Every key that some form has, the other forms' too; `parameters` fills it in once it knows them all."""

    @classmethod
    def name(cls) -> str:
        """Give the `distribution:` that asks for the form."""
        return str(get_args(cls.model_fields["distribution"].annotation)[0])

    def to_distribution(self) -> distributions.Distribution:
        """Give the distribution of its values."""
        raise NotImplementedError

    def range_text(self) -> str:
        """Describe the values it can take for a table, exponents turned into values."""
        made = self.to_distribution()
        return f"{plain(made.ppf(0.0))} to {plain(made.ppf(1.0))}"

    def warnings(self) -> Iterator[FormWarning]:
        """Name what is allowed and probably not meant."""
        yield from ()

    @classmethod
    def _explained(cls, detail: ErrorDetails) -> InitErrorDetails:
        if detail["type"] != "extra_forbidden":
            return super()._explained(detail)
        key = detail["loc"][-1]
        # a key of another form is no typo: whoever writes `q` for a uniform wants another distribution
        known = key in cls.known_keys
        found = f"`{key}` does not belong to `{cls.name()}`" if known else "unknown key"
        meant = "" if known else did_you_mean(key, cls.known_keys)
        fix = meant if meant.startswith("did") else f"it takes {', '.join(cls.model_fields)}"
        return InitErrorDetails(type=rule(found, fix), loc=detail["loc"], input=detail["input"])


class ConstantForm(Form):
    """`value: X`: every run gets X."""

    distribution: Literal["constant"] = "constant"
    """Optional here: `value` says it."""
    value: Value
    """The value that every run gets, of any type."""

    def to_distribution(self) -> distributions.Distribution:
        """Make a categorical of one: to the search a constant is no special case."""
        return distributions.Categorical((self.value,))

    def range_text(self) -> str:
        """Give the value."""
        return plain(self.value)


class CategoricalForm(Form):
    """`values: [...]`: one of them, each as likely as the others."""

    distribution: Literal["categorical"] = "categorical"
    """Optional here: `values` says it."""
    values: list[Value] = Field(min_length=1)
    """The values to choose from, of any type."""

    def to_distribution(self) -> distributions.Distribution:
        """Give each value the same share."""
        return distributions.Categorical(tuple(self.values))

    def range_text(self) -> str:
        """List the values."""
        return listed(self.values)

    def warnings(self) -> Iterator[FormWarning]:
        """Name a value that stands twice."""
        if len({json_key(value) for value in self.values}) < len(self.values):
            fix = "give each once, or add `probabilities:`"
            yield "values", "a value stands twice: it is drawn twice as often", fix


class WeightedForm(CategoricalForm):
    """`values` with `probabilities`: one of them, some likelier than others."""

    distribution: Literal["categorical_w_probabilities"] = "categorical_w_probabilities"  # type: ignore[assignment]
    """Optional here: `probabilities` says it."""
    probabilities: list[Number] = Field(min_length=1)
    """The probability of each value; they sum to 1."""

    @reads("values", "probabilities")
    def _check_weights_fit(self) -> Faults:
        given = self.probabilities
        if len(given) != len(self.values):
            yield rule(f"{len(given)} for {len(self.values)} values", "give one for each value", "probabilities")
        # W&B allows the same slack, and its files must load
        elif min(given) < 0 or abs(sum(given) - 1) > SLACK:
            yield rule(f"they sum to {sum(given):g}", "make them sum to 1, none below 0", "probabilities")

    def to_distribution(self) -> distributions.Distribution:
        """Give each value its share; the distribution evens out what they lack to 1."""
        return distributions.Categorical(tuple(self.values), tuple(map(float, self.probabilities)))

    def range_text(self) -> str:
        """List the values with their shares."""
        pairs = zip(self.values, self.probabilities, strict=True)
        return listed([f"{plain(value)} {weight:.0%}" for value, weight in pairs])


class RangeForm(Form):
    """What the forms with limits share."""

    min: Number
    """The lower limit."""
    max: Number
    """The upper limit."""

    @reads("min", "max")
    def _check_ordered(self) -> Faults:
        if self.min >= self.max:
            found = f"min {self.min:g} is not below max {self.max:g}"
            yield rule(found, "swap them, or use `value:` for a constant", "min")


class IntUniformForm(RangeForm):
    """`min`, `max` whole: an integer between them, both included."""

    distribution: Literal["int_uniform"] = "int_uniform"
    """Optional here: whole limits say it."""
    # strict, unlike `Count`: limits of 1.0 ask for real numbers, here as in W&B
    min: int = Field(ge=-MAX_WHOLE, le=MAX_WHOLE)
    """The smallest integer; whole limits make integers, limits with a point make real numbers."""
    max: int = Field(ge=-MAX_WHOLE, le=MAX_WHOLE)
    """The largest integer."""

    def to_distribution(self) -> distributions.Distribution:
        """Give each integer the same share, the limits too."""
        return distributions.IntUniform(self.min, self.max)


class UniformForm(RangeForm):
    """`min`, `max`: a real number between them."""

    distribution: Literal["uniform"] = "uniform"
    """Optional if both limits are written with a point."""

    def to_distribution(self) -> distributions.Distribution:
        """Spread evenly between the limits."""
        return distributions.Uniform(self.min, self.max)

    def warnings(self) -> Iterator[FormWarning]:
        """Name whole limits written with a point: `min: 1.0, max: 10.0` was mostly meant as integers."""
        whole = float(self.min).is_integer() and float(self.max).is_integer() and self.max - self.min > 1
        if whole and "distribution" not in self.model_fields_set:
            fix = f"for whole numbers write min: {self.min:.0f}, max: {self.max:.0f}; else add `distribution: uniform`"
            yield "min", f"real numbers from {self.min} to {self.max}", fix


class NormalForm(Form):
    """`normal`: a real number around `mu`, without limits."""

    distribution: Literal["normal"]
    """The name of the distribution."""
    mu: Number = 0.0
    """The mean."""
    sigma: Number = Field(default=1.0, json_schema_extra={"minimum": 0})
    """The standard deviation."""

    @reads("sigma")
    def _check_spread(self) -> Faults:
        if self.sigma < 0:
            yield rule(f"sigma {self.sigma:g} is negative", "give the standard deviation, 0 or more", "sigma")

    def to_distribution(self) -> distributions.Distribution:
        """Give the normal distribution, a constant where sigma is 0."""
        return distributions.Normal(self.mu, self.sigma)

    def range_text(self) -> str:
        """Give mean and deviation: it has no limits."""
        return f"mean {self.mu:g}, deviation {self.sigma:g}"


class LogNormalForm(NormalForm):
    """`log_normal`: a positive number whose logarithm is normal."""

    distribution: Literal["log_normal"]  # type: ignore[assignment]  # another form's name
    """The name of the distribution."""
    mu: Number = 0.0
    """The mean of the logarithm."""
    sigma: Number = Field(default=1.0, json_schema_extra={"minimum": 0})
    """The standard deviation of the logarithm."""

    def to_distribution(self) -> distributions.Distribution:
        """Let the logarithm be normal."""
        return distributions.LogNormal(self.mu, self.sigma)

    def range_text(self) -> str:
        """Give mean and deviation, which are those of the logarithm."""
        return f"{super().range_text()} of the log"


class BetaForm(Form):
    """`beta`: a real number between 0 and 1."""

    distribution: Literal["beta"]
    """The name of the distribution."""
    a: Number = Field(default=1, json_schema_extra={"exclusiveMinimum": 0})
    """The first shape: the larger, the nearer to 1."""
    b: Number = Field(default=1, json_schema_extra={"exclusiveMinimum": 0})
    """The second shape: the larger, the nearer to 0."""

    @reads("a")
    def _check_a(self) -> Faults:
        yield from _above_0("a", self.a)

    @reads("b")
    def _check_b(self) -> Faults:
        yield from _above_0("b", self.b)

    def to_distribution(self) -> distributions.Distribution:
        """Give the beta distribution of these shapes."""
        return distributions.Beta(self.a, self.b)

    def range_text(self) -> str:
        """Give the limits, which are always the same, and the shapes."""
        return f"0 to 1, a {self.a:g}, b {self.b:g}"


def _above_0(name: str, shape: float) -> Faults:
    if shape <= 0:
        yield rule(f"{name} {shape:g} is not above 0", "take more than 0, such as 1", name)


PLAIN_FORMS: tuple[type[Form], ...] = (
    ConstantForm,
    CategoricalForm,
    WeightedForm,
    IntUniformForm,
    UniformForm,
    NormalForm,
    LogNormalForm,
    BetaForm,
)
"""The forms of this module, in the order in which errors and the schema list them."""
