"""What every model of the sweep file shares: strict types, and every fault of a document at once.

Pydantic checks a model's rules only when all of its fields are right. A user wants all faults at once, so `StrictModel`
checks each rule whose fields are right, and reports what it finds beside the faults of the others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from sweeper.definition.value_text import short
from sweeper.definition.yaml_document import MAX_DEPTH, did_you_mean

MAX_WHOLE = 2**63 - 1
"""W&B's servers and ours keep 64-bit integers."""
MAX_NUMBER = 40
"""Characters of a number; more are no misspelt number."""


def rule(message: str, fix: str, *path: str | int) -> PydanticCustomError:
    """Make the error of a rule of ours, placed `path` below the value that breaks it."""
    return PydanticCustomError("rule", "{message}", {"message": message, "fix": fix, "path": path})


def as_number(text: object) -> str | None:
    """Give the spelling that YAML reads as the number a text was meant to be; None if it is none.

    YAML 1.1 wants a point and a sign: it reads `1e-5` and `3e6` as text, `1.0e-5` and `3.0e+6` as numbers.
    """
    if not isinstance(text, str) or len(text) > MAX_NUMBER:
        return None
    try:
        if text.lstrip("+-").isdecimal():
            return str(int(text))  # 008, which YAML 1.1 takes for a wrong octal number
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    digits, _, exponent = repr(value).partition("e")
    return f"{digits if '.' in digits else digits + '.0'}e{int(exponent):+d}" if exponent else digits


def _number(value: object) -> object:
    # a truth is a number to Python, and a mistake in a file
    if isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(value, int) and abs(value) > MAX_WHOLE:
            raise rule("is a whole number of more than 64 bits", "write it with a point: 1.0e+20")
        if not math.isfinite(value):
            raise rule(f"{value!r} is not a finite number", "write a finite number")
        return value
    meant = as_number(value)
    fix = f"YAML reads it as text; write {meant}" if meant else "write a number"
    if not meant and (result := reckoned(value)):
        fix = f"for YAML that is a text; write {result}"
    raise rule(f"{short(value)} is not a number", fix)


_SUM = re.compile(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(/|\*\*|\^|,|%)\s*(-?[\d.]*)")


def reckoned(value: object) -> str | None:
    """Write as a number what YAML takes for text: `1/3`, `10**-4`, `0,5` or `20%`; None if it is none of those."""
    if not isinstance(value, str) or len(value) > MAX_NUMBER or (found := _SUM.fullmatch(value)) is None:
        return None
    left, sign, right = as_number(found[1]), found[2], as_number(found[3])
    if left is None or (right is None) != (sign == "%"):
        return None
    try:
        made = float(value.replace(",", ".")) if sign == "," else _result(float(left), sign, float(right or 100))
    except (ArithmeticError, ValueError):
        return None
    return as_number(f"{made:.6g}")


def _result(left: float, sign: str, right: float) -> float:
    return left / right if sign in {"/", "%"} else math.pow(left, right)


def _whole(value: object) -> object:
    number = _number(value)
    if isinstance(number, float) and number.is_integer():
        return int(number)  # W&B takes 3.0 for 3 here
    if isinstance(number, float):
        raise rule(f"{value!r} is not a whole number", f"write {round(number)}")
    return number


def _json(value: object, path: tuple[str | int, ...] = ()) -> object:
    """Take what a run's config can hold: JSON's values, every number finite."""
    if len(path) > MAX_DEPTH:
        raise rule(f"is nested deeper than {MAX_DEPTH} levels", "flatten it")
    if isinstance(value, list | tuple):
        return [_json(item, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        if strange := [key for key in value if not isinstance(key, str)]:
            raise rule(f"the key {short(strange[0])} is not text", "put it into quotes", *path)
        return {key: _json(item, (*path, key)) for key, item in value.items()}
    if value is None or isinstance(value, bool | str):
        return value
    if not isinstance(value, int | float):
        raise rule(f"{short(value)} is nothing that a run's config can hold", "write it as text or numbers", *path)
    if isinstance(value, int) and abs(value) > MAX_WHOLE:
        raise rule("is a whole number of more than 64 bits", "write it with a point, or as text", *path)
    if not math.isfinite(value):
        raise rule(f"{value!r} is not a finite number", "write a finite number", *path)
    return value


def _value(value: object) -> object:
    return _json(value)


Value = Annotated[Any, BeforeValidator(_value)]
"""Any JSON value."""
Number = Annotated[int | float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Count = Annotated[int, BeforeValidator(_whole), Field(ge=1), WithJsonSchema({"type": "integer", "minimum": 1})]
"""A whole number from 1."""
Faults = Iterator[PydanticCustomError]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]


Rule = TypeVar("Rule", bound=Callable[[Any], Faults])


def reads(*fields: str) -> Callable[[Rule], Rule]:
    """Declare the fields that a rule reads, itself or through properties: it is skipped while one of them is faulty."""

    def declare(method: Rule) -> Rule:
        method.reads = fields  # type: ignore[attr-defined]  # a mark, which `_declared` looks for
        return method

    return declare


class StrictModel(BaseModel):
    """A part of the sweep file: no unknown keys, no silent conversions, all faults at once.

    What must hold between fields stands in rules: methods named `_check_...` under `@reads(...)`, which yield faults. A
    rule sees the fields that it declares and no other, so one that misspells a field, or reads one that it does not
    declare, raises an AttributeError whatever the file.

    Raises:
        TypeError: At the class's creation: a rule declares nothing, or a field that the model does not have.
    """

    _rules: ClassVar[Mapping[str, frozenset[str]]] = {}

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _every_fault(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        faults: list[InitErrorDetails] = []
        try:
            model = handler(data)
        except ValidationError as error:
            details = error.errors(include_url=False)
            faults.extend(cls._explained(detail) for detail in details)
            if not isinstance(data, Mapping):
                raise ValidationError.from_exception_data(cls.__name__, faults) from error
            model = cls._partial(data, details)
        faults.extend(InitErrorDetails(type=broken, loc=(), input=None) for broken in cls._broken(model))
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        optional = [name for name, field in cls.model_fields.items() if field.default is None]
        model.model_fields_set.difference_update(name for name in optional if getattr(model, name) is None)
        return model  # without the keys that Python gives as None, where a file would leave them out

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        rules = {name: cls._declared(name) for name in dir(cls) if name.startswith("_check_")}
        cls._rules = dict(sorted(rules.items(), key=lambda item: len(item[1])))  # `_only` builds on smaller views

    @classmethod
    def _declared(cls, name: str) -> frozenset[str]:
        """Give the fields that a rule declares."""
        fields = frozenset(getattr(getattr(cls, name), "reads", ()))
        if not fields:  # an override, too, must say what it reads
            raise TypeError(f"{cls.__name__}.{name} does not declare what it reads: put @reads(...) above it")
        if unknown := fields - cls.model_fields.keys():
            raise TypeError(f"{cls.__name__}.{name} reads {', '.join(sorted(unknown))}: the model has no such field")
        return fields

    @classmethod
    def _broken(cls, model: Self) -> Faults:
        views: dict[frozenset[str], Self] = {}
        for name, fields in cls._rules.items():
            if fields <= model.__dict__.keys():
                if fields not in views:
                    views[fields] = cls._only(model, fields, views)
                yield from getattr(views[fields], name)()
        for view in views.values():
            model.__dict__.update(view.__dict__)  # a parameter space is not made twice

    @classmethod
    def _only(cls, model: Self, fields: frozenset[str], views: Mapping[frozenset[str], Self]) -> Self:
        """Copy a model without all but some fields; what views of fewer have cached holds for this one too."""
        view = model.model_copy()
        for name in view.__dict__.keys() - fields:
            del view.__dict__[name]
        for known, other in views.items():
            if known < fields:
                view.__dict__.update(other.__dict__)
        return view

    @classmethod
    def _partial(cls, data: Mapping[Any, Any], details: Iterable[ErrorDetails]) -> Self:
        """Make a model of the fields that are right; the others are missing from it."""
        wrong = {str(detail["loc"][0]) for detail in details if detail["loc"]}
        right = {name: data[name] for name in cls.model_fields if name in data and name not in wrong}
        fields = {name: _field(cls, name).validate_python(value) for name, value in right.items()}
        model = cast(Self, cls.model_construct(None, **fields))
        for name in wrong:
            model.__dict__.pop(name, None)  # or it would have its default
        return model

    @classmethod
    def _explained(cls, detail: ErrorDetails) -> InitErrorDetails:
        """Turn pydantic's words into ours, where it is a fault of this model's own fields."""
        kind: str | PydanticCustomError = detail["type"]
        context = detail.get("ctx", {})
        if kind == "rule":
            kind = rule(context["message"], context["fix"], *context["path"])
        else:
            kind = rule(*_explain(detail, list(cls.model_fields)))
        return InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"])


@lru_cache
def _field(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    # kept, since making an adapter compiles a schema
    field = model.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(kind)


_FIXES = {
    "int_type": "write a whole number",
    "string_type": "write text; put numbers in quotes",
    "bool_type": "write true or false",
    "list_type": "write a list: [a, b]",
    "string_pattern_mismatch": "start with a letter or _; letters, digits, _, . and - may follow",
    "recursion_loop": "it holds itself: write it out",
    "recursion_depth_exceeded": "flatten it",
    "dict_type": "indent keys below it",
    "model_type": "indent keys below it",
    "model_attributes_type": "indent keys below it",
    "invalid_key": "put the key in quotes",
}

_LIMITS = {
    "greater_than": ("too small", "take more than {gt}"),
    "greater_than_equal": ("too small", "take at least {ge}"),
    "less_than_equal": ("too large", "take at most {le}"),
    "too_short": ("too short", "give it {min_length} or more entries"),
    "string_too_short": ("too short", "give it {min_length} or more characters"),
    "string_too_long": ("too long", "take at most {max_length} characters"),
}


def _explain(detail: ErrorDetails, fields: list[str]) -> tuple[str, str]:
    """Say what was found and what to write instead."""
    context = detail.get("ctx", {})
    key, found = detail["loc"][-1] if detail["loc"] else "", detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            return "unknown key", did_you_mean(key, fields)
        case "missing" | "union_tag_not_found" as kind:
            name = key if kind == "missing" else "type"
            return f"has no `{name}`", f"add `{name}:`"
        case "literal_error" | "union_tag_invalid":
            found = context.get("tag", found)
            # pydantic 2 gives the choices as prose: 'a', 'b' or 'c'
            expected = context.get("expected") or context["expected_tags"]
            choices = expected.replace(" or ", ", ").replace("'", "").split(", ")
            # YAML reads false, off and no as a truth, where a word was meant: `impute_while_running: false`
            text = str(found).lower() if isinstance(found, bool) else ""
            return f"{short(found)} is not known", (
                f'put it into quotes: "{text}"' if text in choices else did_you_mean(found, choices)
            )
        case kind if kind in _LIMITS:
            what, fix = _LIMITS[kind]
            return f"{short(found)} is {what}", fix.format(**context)
        case kind:
            return f"{short(found)} does not fit", _written(kind, fields, found) or _FIXES.get(kind, detail["msg"])


def _written(kind: str, fields: list[str], found: object) -> str | None:
    """Write what was meant, of a list, a mapping or a model with some fields; None if it is not clear."""
    if kind == "list_type" and isinstance(found, str | int | float) and not isinstance(found, bool):
        return f"write a list: [{str(found)[:60]}]"
    mappings = isinstance(found, list) and bool(found) and all(isinstance(item, Mapping) for item in found)
    if kind == "dict_type" and mappings:
        return "indent keys below it, without `- ` before them: `NAME: {values: [...]}`"
    if kind.startswith("model_") and mappings:
        return "indent keys below it, without `- ` before them"
    if kind == "model_type" and isinstance(found, str):
        return f"indent keys below it, such as `{fields[0]}: {found[:60]}`"
    return None
