"""The sweep file as a pydantic model, W&B's format, with the place of every fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from sweeper import document
from sweeper.document import Document, Fault, did_you_mean
from sweeper.errors import DefinitionError
from sweeper.parameters import FORMS, Model, ParameterForm, flat_laws, rule
from sweeper.run import Goal
from sweeper.space import ParameterSpace
from sweeper.stopping import Hyperband, StoppingRule

ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]


class Metric(Model):
    """What the sweep optimises.

    Attributes:
        name: The key the trainer logs.
        goal: `minimize` (the default) or `maximize`.
    """

    name: str
    goal: Goal = "minimize"


class Controller(Model):
    """Where W&B's search runs; here it is always the server."""

    type: Literal["cloud"]


class SweepDefinition(Model):
    """One sweep: what to search, how, and what for.

    `from_yaml` and `from_file` report faults with their place; `model_validate` takes a dict from Python.
    """

    method: Literal["grid", "random", "bayes"]
    parameters: dict[ParameterName, ParameterForm] = Field(min_length=1)
    metric: Metric | None = None
    early_terminate: Hyperband | None = None
    run_cap: int | None = Field(default=None, ge=1)
    program: str | None = None
    command: list[Any] | None = None
    name: str | None = None
    description: str | None = None
    project: str | None = None
    entity: str | None = None
    controller: Controller | None = None
    apiVersion: str | None = None  # noqa: N815 W&B's spelling; accepted and unused, as there
    kind: Literal["sweep"] | None = None

    @classmethod
    def from_yaml(cls, text: str, source: str = "sweep.yaml") -> Self:
        """Read a sweep file.

        Args:
            text: The YAML.
            source: Its name, for errors.

        Raises:
            DefinitionError: It is no sweep; the message gives file, line, key and fix of every fault.
        """
        found = document.read(text, source)
        try:
            return cls.model_validate(found.data)
        except ValidationError as error:
            raise document.faulty(source, _faults(error, found)) from error

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a sweep file from disk.

        Raises:
            DefinitionError: It cannot be read, or is no sweep.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise DefinitionError(f"{path}: not UTF-8 text", "give a YAML file") from error
        except OSError as error:
            fix = "give the path of a YAML file, such as sweeps/quickstart.yaml"
            raise DefinitionError(f"{path}: {error.strerror}", fix) from error
        return cls.from_yaml(text, str(path))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for check in (_names_are_unique, _grid_is_finite, _bayes_can_learn, _stopping_has_a_metric):
            check(self)
        return self

    @cached_property
    def space(self) -> ParameterSpace:
        """The parameters and their laws."""
        flat = list(flat_laws(self.parameters))
        return ParameterSpace(
            laws={".".join(path): law for path, law in flat}, paths={".".join(path): path for path, _ in flat}
        )

    @property
    def goal(self) -> Goal:
        """The direction of the metric; W&B's default where none is given."""
        return self.metric.goal if self.metric else "minimize"

    @property
    def stopping(self) -> StoppingRule | None:
        """The rule of early termination, if there is one."""
        return self.early_terminate

    @property
    def expected_runs(self) -> int | None:
        """How many runs the sweep will have; None if it goes on until stopped."""
        limits = [limit for limit in (self.run_cap, self.space.size) if limit is not None]
        return min(limits, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Give back what the file said, ready for `wandb.sweep`; defaults that matter are written out."""
        data = self.model_dump(exclude_unset=True)
        if self.early_terminate:
            data["early_terminate"]["strict"] = self.early_terminate.strict
        return data


def _names_are_unique(definition: SweepDefinition) -> None:
    seen: dict[str, tuple[str, ...]] = {}
    for path, _ in flat_laws(definition.parameters):
        name = ".".join(path)
        if name in seen:
            raise rule(f"two parameters are called {name}", "rename one of them", "parameters", path[0])
        seen[name] = path


def _grid_is_finite(definition: SweepDefinition) -> None:
    if definition.method != "grid":
        return
    for name, path in definition.space.paths.items():
        if definition.space.laws[name].support is None:
            fix = "list its `values:`, or use `method: random` or `bayes`"
            raise rule("is continuous: it has no grid", fix, *_keys(path))


def _keys(path: Sequence[str]) -> list[str]:
    return [key for name in path for key in ("parameters", name)]


def _bayes_can_learn(definition: SweepDefinition) -> None:
    if definition.method != "bayes":
        return
    if definition.metric is None:
        raise rule("bayes needs a `metric:`", "add `metric: {name: test_accuracy, goal: maximize}`", "method")
    if not definition.space.searched:
        raise rule("bayes has nothing to search: all parameters are constant", "vary one", "parameters")


def _stopping_has_a_metric(definition: SweepDefinition) -> None:
    if definition.early_terminate and definition.metric is None:
        fix = "add `metric: {name: test_accuracy, goal: maximize}`"
        raise rule("hyperband needs a `metric:`", fix, "early_terminate")


def _faults(error: ValidationError, found: Document) -> Iterator[Fault]:
    for detail in error.errors(include_url=False):
        path = [*_present(detail["loc"], found.data), *detail.get("ctx", {}).get("path", ())]
        message, fix = _explain(detail)
        yield Fault(*found.place(path), tuple(path), message, fix)


def _present(loc: Sequence[str | int], data: Any) -> Iterator[str | int]:
    """Keep the keys of the document: pydantic also names the form it tried (`uniform`, `nested`)."""
    for key in loc:
        if isinstance(data, Mapping):
            if key not in data:
                continue
            data = data[key]
        elif isinstance(data, list) and isinstance(key, int):
            data = data[key]
        else:
            continue
        yield key


_FIXES = {
    "int_type": "write a whole number",
    "string_type": "write text; put numbers in quotes",
    "bool_type": "write true or false",
    "list_type": "write a list: [a, b]",
    "dict_type": "indent keys below it",
    "model_type": "indent keys below it",
    "too_short": "give it at least one entry",
}


def _explain(detail: ErrorDetails) -> tuple[str, str]:
    """Say what was found and what to write instead."""
    context = detail.get("ctx", {})
    key, found = detail["loc"][-1] if detail["loc"] else "", detail["input"]
    match detail["type"]:
        case "rule":
            return context["message"], context["fix"]
        case "extra_forbidden":
            return "unknown key", did_you_mean(key, _allowed(detail["loc"]))
        case "missing":
            return f"has no `{key}`", f"add `{key}:`"
        case "literal_error":
            choices = context["expected"].replace(" or ", ", ").replace("'", "").split(", ")
            return f"{found!r} is not known", did_you_mean(found, choices)
        case "string_pattern_mismatch":
            return (
                f"{found!r} is no parameter name",
                "use letters, digits, _ . - and start with a letter or _",
            )
        case kind:
            return f"{found!r} does not fit", _FIXES.get(kind, detail["msg"])


def _allowed(loc: Sequence[str | int]) -> list[str]:
    """List the keys of the model at a place."""
    models: dict[str | int, type[Model]] = {
        "metric": Metric,
        "early_terminate": Hyperband,
        "controller": Controller,
    }
    if len(loc) == 1:
        return list(SweepDefinition.model_fields)
    return list((models.get(loc[0]) or FORMS[str(loc[-2])]).model_fields)
