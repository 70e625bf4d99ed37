"""The parameters of a sweep file: which form each one has, and groups of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from sweeper.definition.parameter_forms import (
    KEYS,
    LEAVES,
    Beta,
    Categorical,
    Constant,
    Form,
    IntUniform,
    InvLogUniform,
    InvLogUniformValues,
    LogNormal,
    LogUniform,
    LogUniformValues,
    Normal,
    QBeta,
    QLogNormal,
    QLogUniform,
    QLogUniformValues,
    QNormal,
    QUniform,
    Uniform,
    Weighted,
)
from sweeper.definition.strict_model import Model, ParameterName, rule, short
from sweeper.definition.yaml_document import did_you_mean

A_FORM = "give it `value:`, `values:`, or `min:` and `max:`"


class Nested(Model):
    """`parameters: {...}`: a group; the run's config gets a dict."""

    parameters: dict[ParameterName, ParameterForm] = Field(min_length=1)
    """The parameters of the group, in any form."""


FORMS: Mapping[str, type[Model]] = {**LEAVES, "nested": Nested}


def _form(value: object) -> str:
    """Name the form of a parameter: its `distribution`, or what its keys imply, as W&B infers it."""
    if isinstance(value, Model):
        return next(name for name, model in FORMS.items() if type(value) is model)
    if not isinstance(value, Mapping) or not value:
        raise _no_mapping(value)
    if "distribution" in value:
        return _known_distribution(value["distribution"])
    for key, form in (
        ("parameters", "nested"),
        ("value", "constant"),
        ("probabilities", "categorical_w_probabilities"),
    ):
        if key in value:
            return form
    if "values" in value:
        return "categorical"
    if "min" in value and "max" in value and "q" not in value and not isinstance(value["min"], Mapping):
        return _range_form(value["min"], value["max"])
    raise _no_form(value)


def _known_distribution(name: object) -> str:
    if isinstance(name, str) and name in LEAVES:
        return name
    raise rule(f"unknown distribution {short(name)}", did_you_mean(name, LEAVES), "distribution")


def _range_form(low: object, high: object) -> str:
    if type(low) is int and type(high) is int:
        return "int_uniform"
    if {type(low), type(high)} == {int, float}:
        fix = "write both as whole numbers for integers, both with a point for reals, or add `distribution:`"
        raise rule(f"min {short(low)} and max {short(high)} mix whole and real numbers", fix, "min")
    return "uniform"


def _no_mapping(value: object) -> PydanticCustomError:
    key = "values" if isinstance(value, list) else "value"
    try:
        written = json.dumps(value) if isinstance(value, list | str | int | float) else ""
    except (TypeError, ValueError):  # a list of what only Python can write
        written = ""
    fix = f"write {{{key}: {written}}}" if 0 < len(written) < 60 and value else A_FORM
    return rule(f"{short(value)} is not a parameter", fix)


def _no_form(value: Mapping[Any, Any]) -> PydanticCustomError:
    names = [key if isinstance(key, str) else short(key) for key in value]
    unknown = [name for name in names if name not in KEYS]
    below = [isinstance(item, Mapping) for item in value.values()]
    if all(below) or (any(below) and len(unknown) == len(value)):
        return rule("a group needs `parameters:`", f"put {', '.join(names)[:60]} under `parameters:`")
    if unknown:
        return rule(f"unknown key `{unknown[0]}`", did_you_mean(unknown[0], KEYS), unknown[0])
    if shapeless := [key for key in ("q", "mu", "sigma", "a", "b") if key in value]:
        names = [name for name, form in FORMS.items() if set(value) <= set(form.model_fields)]
        return rule(f"`{shapeless[0]}` needs a `distribution:`", f"choose from {', '.join(names or LEAVES)}")
    missing = "max" if "min" in value else "min" if "max" in value else "value"
    return rule(f"has no `{missing}`", A_FORM)


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
    | Annotated[Weighted, Tag("categorical_w_probabilities")]
    | Annotated[IntUniform, Tag("int_uniform")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[QUniform, Tag("q_uniform")]
    | Annotated[LogUniformValues, Tag("log_uniform_values")]
    | Annotated[QLogUniformValues, Tag("q_log_uniform_values")]
    | Annotated[InvLogUniformValues, Tag("inv_log_uniform_values")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[QNormal, Tag("q_normal")]
    | Annotated[LogNormal, Tag("log_normal")]
    | Annotated[QLogNormal, Tag("q_log_normal")]
    | Annotated[Beta, Tag("beta")]
    | Annotated[QBeta, Tag("q_beta")]
    | Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[QLogUniform, Tag("q_log_uniform")]
    | Annotated[InvLogUniform, Tag("inv_log_uniform")]
    | Annotated[Nested, Tag("nested")]
    | Annotated[SkipJsonSchema[Any], BeforeValidator(_refuse), Tag("unknown")],
    Discriminator(_tag),
]
Nested.model_rebuild()


def flat_forms(parameters: Mapping[str, Any], outer: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Form]]:
    """Walk the parameters, groups opened: the path of each and its form."""
    for name, form in parameters.items():
        path = (*outer, name)
        if isinstance(form, Nested):
            yield from flat_forms(form.parameters, path)
        else:
            yield path, form
