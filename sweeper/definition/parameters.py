"""The parameters of a sweep file: which form each one has, and groups of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from sweeper.definition.log_uniform_forms import LOG_UNIFORM_FORMS
from sweeper.definition.parameter_forms import PLAIN_FORMS, Form
from sweeper.definition.quantized_forms import QUANTIZED_FORMS
from sweeper.definition.strict_model import ParameterName, StrictModel, rule
from sweeper.definition.value_text import short
from sweeper.definition.yaml_document import did_you_mean

A_FORM = "give it `value:`, `values:`, or `min:` and `max:`"


FORMS: Mapping[str, type[Form]] = {form.name(): form for form in (*PLAIN_FORMS, *LOG_UNIFORM_FORMS, *QUANTIZED_FORMS)}
"""Distribution -> its form: the one table from which the union, the keys and the JSON Schema follow."""
KEYS = (*dict.fromkeys(field for form in FORMS.values() for field in form.model_fields), "parameters")
"""Every key that some form has."""
Form.known_keys = KEYS

NESTED, UNKNOWN = "nested", "unknown"
_IMPLIED = {
    "parameters": NESTED,
    "value": "constant",
    "probabilities": "categorical_w_probabilities",
    "values": "categorical",
}
"""Key -> the form that it implies where no `distribution:` stands, as W&B infers it; the first that is there counts."""
_SHAPES = tuple(key for key in KEYS if key not in {*_IMPLIED, "distribution", "min", "max"})
"""Keys that imply no form: several distributions have them."""


class Nested(StrictModel):
    """`parameters: {...}`: a group; the run's config gets a dict."""

    parameters: dict[ParameterName, ParameterForm] = Field(min_length=1)
    """The parameters of the group, in any form."""


def _form(value: object) -> str:
    """Name the form of a parameter: its `distribution`, or what its keys imply, as W&B infers it."""
    if isinstance(value, StrictModel):
        return value.name() if isinstance(value, Form) else NESTED
    if not isinstance(value, Mapping) or not value:
        raise _no_mapping(value)
    if "distribution" in value:
        return _known_distribution(value["distribution"])
    for key, form in _IMPLIED.items():
        if key in value:
            return form
    if "min" in value and "max" in value and "q" not in value and not isinstance(value["min"], Mapping):
        return _range_form(value["min"], value["max"])
    raise _no_form(value)


_OTHER_WORDS = {
    **dict.fromkeys(("loguniform", "log-uniform", "log", "reverse_log_uniform"), "log_uniform_values"),
    **dict.fromkeys(("qloguniform", "q_loguniform"), "q_log_uniform_values"),
    **dict.fromkeys(("choice", "choices", "values", "list", "discrete"), "categorical"),
    **dict.fromkeys(("int", "integer", "randint", "uniform_int"), "int_uniform"),
    **dict.fromkeys(("float", "real", "continuous"), "uniform"),
    "gaussian": "normal",
    "lognormal": "log_normal",
    "fixed": "constant",
}
"""What other tools call a distribution; by its letters alone, `loguniform` would become one of exponents."""


def _known_distribution(name: object) -> str:
    if isinstance(name, str) and name in FORMS:
        return name
    if isinstance(name, str) and name.lower() in _OTHER_WORDS:
        raise rule(f"unknown distribution {name!r}", f"did you mean `{_OTHER_WORDS[name.lower()]}`?", "distribution")
    raise rule(f"unknown distribution {short(name)}", did_you_mean(name, FORMS), "distribution")


def _range_form(low: object, high: object) -> str:
    # not isinstance: a truth is an int to Python. W&B decides by the types of YAML too
    if type(low) is int and type(high) is int:
        return "int_uniform"
    if {type(low), type(high)} == {int, float}:
        fix = "write both as whole numbers for integers, both with a point for reals, or add `distribution:`"
        raise rule(f"min {short(low)} and max {short(high)} mix whole and real numbers", fix, "min")
    return "uniform"


def _no_mapping(value: object) -> PydanticCustomError:
    if isinstance(value, str) and (glued := re.fullmatch(r"([a-z_]+):(\S.*)", value)) and glued[1] in KEYS:
        return rule(
            f"{short(value)} is not a parameter", f"write a space after the colon: `{glued[1]}: {glued[2][:40]}`"
        )
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
    # where values are mappings, `parameters:` was forgotten above them
    if all(below) or (any(below) and len(unknown) == len(value)):
        return rule("a group needs `parameters:`", f"put {', '.join(names)[:60]} under `parameters:`")
    if unknown:
        return rule(f"unknown key `{unknown[0]}`", did_you_mean(unknown[0], KEYS), unknown[0])
    if shapes := [key for key in _SHAPES if key in value]:
        names = [name for name, form in FORMS.items() if set(value) <= set(form.model_fields)]
        return rule(f"`{shapes[0]}` needs a `distribution:`", f"choose from {', '.join(names or FORMS)}")
    missing = "max" if "min" in value else "min" if "max" in value else "value"
    return rule(f"has no `{missing}`", A_FORM)


def _tag(value: object) -> str:
    """Name the form; `unknown` if it has none, since pydantic lets a discriminator raise nothing."""
    try:
        return _form(value)
    except PydanticCustomError:
        return UNKNOWN


def _refuse(value: object) -> str:
    return _form(value)


if TYPE_CHECKING:
    ParameterForm = Form | Nested
else:
    # mypy takes no union that is computed, and needs only what all forms share
    _tagged = [Annotated[form, Tag(name)] for name, form in FORMS.items()]
    _refused = Annotated[SkipJsonSchema[Any], BeforeValidator(_refuse), Tag(UNKNOWN)]
    ParameterForm = Annotated[Union[(*_tagged, Annotated[Nested, Tag(NESTED)], _refused)], Discriminator(_tag)]
Nested.model_rebuild()


def flat_forms(parameters: Mapping[str, Any], outer: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Form]]:
    """Walk the parameters, groups opened: the path of each and its form."""
    for name, form in parameters.items():
        path = (*outer, name)
        if isinstance(form, Nested):
            yield from flat_forms(form.parameters, path)
        else:
            yield path, form
