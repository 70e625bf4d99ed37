"""The forms a parameter can take in a sweep file, each a pydantic model that knows its law.

These are the forms of the shipped files, and nesting; another form is one more model in `ParameterForm`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from sweeper import space
from sweeper.document import did_you_mean


def rule(message: str, fix: str, *path: str) -> PydanticCustomError:
    """Make the error of a rule of ours, placed `path` below the value that breaks it."""
    return PydanticCustomError("rule", "{message}", {"message": message, "fix": fix, "path": path})


def _number(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        text = repr(float(value)) if isinstance(value, str) else ""
    except ValueError:
        text = ""
    # YAML 1.1 wants a point: 1e-5 is text, 1.0e-5 a number
    text = text if "." in text else text.replace("e", ".0e")
    raise rule(f"{value!r} is not a number", f"YAML reads it as text; write {text}" if text else "write a number")


Number = Annotated[int | float, BeforeValidator(_number)]


class Model(BaseModel):
    """What every model of the sweep file shares: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Constant(Model):
    """`value: X`: every run gets X."""

    distribution: Literal["constant"] = "constant"
    value: Any

    @property
    def law(self) -> space.Distribution:
        """Its law."""
        return space.Categorical((self.value,))


class Categorical(Model):
    """`values: [...]`: one of them, with equal or given probabilities."""

    distribution: Literal["categorical", "categorical_w_probabilities"] = "categorical"
    values: list[Any] = Field(min_length=1)
    probabilities: list[Number] | None = None

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        given = self.probabilities
        if given is None:
            return self
        if len(given) != len(self.values):
            raise rule(f"{len(given)} for {len(self.values)} values", "give one for each value", "probabilities")
        if min(given) < 0 or abs(sum(given) - 1) > 1e-6:
            raise rule(f"they sum to {sum(given):g}", "make them sum to 1, none below 0", "probabilities")
        return self

    @property
    def law(self) -> space.Distribution:
        """Its law."""
        weights = tuple(map(float, self.probabilities)) if self.probabilities else None
        return space.Categorical(tuple(self.values), weights)


class _Range(Model):
    min: Number
    max: Number

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min >= self.max:
            found = f"min {self.min:g} is not below max {self.max:g}"
            raise rule(found, "swap them, or use `value:` for a constant", "min")
        return self


class _Quantized(_Range):
    q: Number = Field(default=1.0, gt=0)

    @property
    def law(self) -> space.Distribution:
        """Its law."""
        return self._quantized()

    def _quantized(self) -> space.Quantized:
        raise NotImplementedError

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self._quantized().steps:
            raise rule(f"no multiple of q {self.q:g} lies in [{self.min:g}, {self.max:g}]", "take a smaller q", "q")
        return self


class IntUniform(_Range):
    """`min`, `max` whole: an integer between them, both included."""

    distribution: Literal["int_uniform"] = "int_uniform"
    min: int
    max: int

    @property
    def law(self) -> space.Distribution:
        """Its law."""
        return space.IntUniform(self.min, self.max)


class Uniform(_Range):
    """`min`, `max`: a real number between them."""

    distribution: Literal["uniform"] = "uniform"

    @property
    def law(self) -> space.Distribution:
        """Its law."""
        return space.Uniform(self.min, self.max)


class QUniform(_Quantized):
    """`q_uniform`: a uniform number rounded to multiples of q."""

    distribution: Literal["q_uniform"] = "q_uniform"

    def _quantized(self) -> space.Quantized:
        return space.Quantized(space.Uniform(self.min, self.max), self.q)


class LogUniformValues(_Range):
    """`log_uniform_values`: a number whose logarithm is uniform; min and max are values, not exponents."""

    distribution: Literal["log_uniform_values"] = "log_uniform_values"
    min: Number = Field(gt=0)

    @property
    def law(self) -> space.Distribution:
        """Its law."""
        return space.LogUniform(self.min, self.max)


class QLogUniformValues(_Quantized):
    """`q_log_uniform_values`: a log-uniform number rounded to multiples of q."""

    distribution: Literal["q_log_uniform_values"] = "q_log_uniform_values"
    min: Number = Field(gt=0)

    def _quantized(self) -> space.Quantized:
        return space.Quantized(space.LogUniform(self.min, self.max), self.q)


class Nested(Model):
    """`parameters: {...}`: a group; the run's config gets a dict."""

    parameters: dict[str, ParameterForm] = Field(min_length=1)


FORMS: Mapping[str, type[Model]] = {
    "constant": Constant,
    "categorical": Categorical,
    "categorical_w_probabilities": Categorical,
    "int_uniform": IntUniform,
    "uniform": Uniform,
    "q_uniform": QUniform,
    "log_uniform_values": LogUniformValues,
    "q_log_uniform_values": QLogUniformValues,
    "nested": Nested,
}
DISTRIBUTIONS = tuple(name for name in FORMS if name != "nested")


def _form(value: object) -> str:
    """Name the form of a parameter: its `distribution`, or what its keys imply, as W&B infers it."""
    if isinstance(value, Model):
        return next(name for name, model in FORMS.items() if type(value) is model)
    if not isinstance(value, Mapping) or not value:
        raise _no_mapping(value)
    if "distribution" in value:
        return _known_distribution(value["distribution"])
    if "parameters" in value:
        return "nested"
    if "value" in value:
        return "constant"
    if "values" in value:
        return "categorical"
    if "min" in value and "max" in value:
        return _range_tag(value["min"], value["max"])
    raise _no_form(value)


def _known_distribution(name: object) -> str:
    if name in DISTRIBUTIONS:
        return str(name)
    raise rule(f"unknown distribution {name!r}", did_you_mean(name, DISTRIBUTIONS), "distribution")


def _range_tag(low: object, high: object) -> str:
    if type(low) is int and type(high) is int:
        return "int_uniform"
    if {type(low), type(high)} == {int, float}:
        fix = "write both as whole numbers for integers, both with a point for reals, or add `distribution:`"
        raise rule(f"min {low!r} and max {high!r} mix whole and real numbers", fix, "min")
    return "uniform"


def _no_mapping(value: object) -> PydanticCustomError:
    key = "values" if isinstance(value, list) else "value"
    fix = "give it `value:`, `values:`, or `min:` and `max:`" if not value else f"write {{{key}: {value!r}}}"
    return rule(f"{value!r} is not a parameter", fix)


def _no_form(value: Mapping[str, Any]) -> PydanticCustomError:
    keys = [*dict.fromkeys(field for model in FORMS.values() for field in model.model_fields)]
    unknown = [str(key) for key in value if key not in keys]
    if unknown and all(isinstance(item, Mapping) for item in value.values()):
        return rule("a group needs `parameters:`", f"put {', '.join(unknown)} under `parameters:`")
    if unknown:
        return rule(f"unknown key `{unknown[0]}`", did_you_mean(unknown[0], keys), unknown[0])
    missing = "max" if "min" in value else "min" if "max" in value else "value"
    return rule(f"has no `{missing}`", "give it `value:`, `values:`, or `min:` and `max:`")


def _tag(value: object) -> str:
    """Name the form; `unknown` if it has none, since pydantic lets a discriminator raise nothing."""
    try:
        return _form(value)
    except PydanticCustomError:
        return "unknown"


def _refuse(value: object) -> str:
    return _form(value)


ParameterForm = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Categorical, Tag("categorical")]
    | Annotated[Categorical, Tag("categorical_w_probabilities")]
    | Annotated[IntUniform, Tag("int_uniform")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[QUniform, Tag("q_uniform")]
    | Annotated[LogUniformValues, Tag("log_uniform_values")]
    | Annotated[QLogUniformValues, Tag("q_log_uniform_values")]
    | Annotated[Nested, Tag("nested")]
    | Annotated[Any, BeforeValidator(_refuse), Tag("unknown")],
    Discriminator(_tag),
]
Nested.model_rebuild()


def flat_laws(
    parameters: Mapping[str, Any], outer: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], space.Distribution]]:
    """Walk the parameters, groups opened: the path of each and its law."""
    for name, form in parameters.items():
        path = (*outer, name)
        if isinstance(form, Nested):
            yield from flat_laws(form.parameters, path)
        else:
            yield path, form.law
