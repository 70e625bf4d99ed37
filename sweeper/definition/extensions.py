"""What a sweep file can say beyond W&B's format, all of it under the one key `sweeper:`.

W&B's servers do not know these: `sweeper create` says so there, and does not drop them silently.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from sweeper.definition.early_terminate import BeyondWandb
from sweeper.definition.strict_model import MAX_WHOLE, Count, Faults, ParameterName, StrictModel, Value, reads, rule
from sweeper.definition.value_text import short
from sweeper.definition.yaml_document import did_you_mean
from sweeper.run import Params
from sweeper.space import conditions
from sweeper.space.parameter_space import ParameterSpace

MAX_REPEATS = 1000
NUMBER = "number"
"""The field of a run name that counts the sweep's runs from 1, unless a parameter has that name."""

# No wide or deep formats: `{lr:1000000000}` would fill the memory.
_SPEC = re.compile(r"([<>=^]?[-+ ]?#?0?\d{0,2}[,_]?(\.\d{1,2})?[bdeEfFgGnosxX%]?)")


class Extensions(StrictModel):
    """The key `sweeper:`: what W&B's format lacks."""

    seed: Annotated[int, Field(ge=0, le=MAX_WHOLE)] | None = None
    """The seed of the search: the same file then gives the same suggestions for the same results."""
    order: Literal["sorted", "random"] = "sorted"
    """The order of a grid: W&B's (sorted by name, the last name fastest), or shuffled."""
    repeats: Count = Field(default=1, le=MAX_REPEATS)
    """How many runs each configuration gets; a Bayesian search optimises their mean."""
    repeat_parameter: ParameterName | None = None
    """A key of the run's config that counts the repeats of a configuration from 1, such as `seed`."""
    initial: list[dict[str, Value]] = Field(default_factory=list)
    """Configurations to try first; parameters left out are drawn."""
    conditions: dict[str, dict[str, Value]] = Field(default_factory=dict)
    """Parameter or group -> {another parameter: the value, or list of values, for which it is there}."""
    early_terminate: BeyondWandb | None = None
    """A rule of early termination that W&B lacks: `type: asha` or `type: median`."""
    run_name: str | None = Field(default=None, min_length=1, max_length=200)
    """The runs' names, with parameters in braces: `{optimizer}-lr{learning_rate:.1e}`; `{number}` counts the runs."""

    @reads("repeats", "repeat_parameter")
    def _check_repeats(self) -> Faults:
        if self.repeat_parameter is not None and self.repeats == 1:
            yield rule("there is nothing to count: `repeats` is 1", "add `repeats: 3`", "repeat_parameter")

    @property
    def used(self) -> list[str]:
        """The keys that the file sets to something."""
        return [name for name in type(self).model_fields if name in self.model_fields_set]

    def name_run(self, params: Params, number: int) -> str | None:
        """Name a run by its parameters; None without a template."""
        return None if self.run_name is None else format_name(self.run_name, params, number)


def format_name(template: str, params: Params, number: int) -> str:
    """Fill in a run name; a parameter that is not there becomes `-`."""
    parts = []
    for text, name, spec, _ in string.Formatter().parse(template):
        value = {NUMBER: number, **params}.get(name or "", "-")
        parts += [text, "" if name is None else _formatted(value, spec or "")]
    return "".join(parts)


def _formatted(value: Any, spec: str) -> str:
    try:
        return format(value, spec)
    except (ValueError, TypeError, OverflowError):
        # a parameter may be a number in one run and text in the next
        return str(value)


def name_faults(template: str, space: ParameterSpace) -> Faults:
    """Check a run name against the parameters it may use."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        yield rule(f"{short(template)}: {error}", "write {name} or {name:.1e}; {{ for a brace")
        return
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if name not in space.distributions and name != NUMBER:
            yield rule(f"no parameter is called {short(name)}", did_you_mean(name, [*space.distributions, NUMBER]))
        elif conversion or not _SPEC.fullmatch(spec or ""):
            found = (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            yield rule(f"{{{name}{found}}} is no format for a name", "use one such as {name:.1e} or {name:04d}")
        elif (value := _example(name, space, spec or "")) is not None:
            yield rule(f"{short(value)} cannot be written as `{spec}`", f"write {{{name}}}")


def _example(name: str, space: ParameterSpace, spec: str) -> Any | None:
    """Find a value of the parameter that the format does not fit."""
    distribution = space.distributions.get(name)
    # a format fails by type: a hundred values show all that a list holds, 100,000 would take long
    for value in [1] if distribution is None else [distribution.ppf(0.5), *(distribution.support or ())[:100]]:
        try:
            format(value, spec)
        except (ValueError, TypeError, OverflowError):
            return value
    return None


def condition_faults(given: Mapping[str, Mapping[str, Any]], space: ParameterSpace) -> Faults:
    """Check conditions against the space they are for (built without them)."""
    expanded = conditions.expand(given, space)
    for name, tests in given.items():
        if not conditions.members(name, space):
            yield rule(
                "is no parameter or group", did_you_mean(name, [*space.distributions, *conditions.groups(space)]), name
            )
        for other, wanted in tests.items():
            yield from _test_faults(name, other, wanted, space)
            if not all(expanded[member][other] for member in conditions.members(name, space)):
                yield rule("can never hold", "list values that no other condition excludes", name, other)
    if circle := conditions.cycle(expanded):
        found = "depends on itself" if len(circle) == 1 else f"depends on itself, by way of {', '.join(circle[1:6])}"
        name = next(name for name in given if circle[0] in conditions.members(name, space))
        yield rule(f"{circle[0]} {found}", "leave out one of the conditions", name)


def _test_faults(name: str, other: str, wanted: Any, space: ParameterSpace) -> Faults:
    distribution = space.distributions.get(other)
    if distribution is None:
        yield rule(f"no parameter is called {short(other)}", did_you_mean(other, space.distributions), name, other)
    elif distribution.support is None:
        yield rule(f"{other} is continuous", "name a parameter that has `values:`", name, other)
    else:
        values = (
            [((index,), value) for index, value in enumerate(wanted)] if isinstance(wanted, list) else [((), wanted)]
        )
        for index, value in values:
            if not distribution.contains(value):
                fix = did_you_mean(value, [str(known) for known in distribution.support[:10]])
                yield rule(f"{other} never is {short(value)}", fix, name, other, *index)


def point_faults(points: Sequence[Mapping[str, Any]], space: ParameterSpace) -> Faults:
    """Check the initial configurations against the space."""
    for index, point in enumerate(points):
        given = conditions.point_params(point, space)
        for path, value in conditions.leaves(point, space):
            name = ".".join(path)
            distribution = space.distributions.get(name)
            if distribution is None:
                yield rule(
                    f"no parameter is called {short(name)}", did_you_mean(name, space.distributions), index, *path
                )
            elif not distribution.contains(value):
                yield rule(f"{name} never is {short(value)}", "take a value that it can have", index, *path)
            elif other := conditions.excluding(name, given, space):
                yield rule(f"{name} is not there if {other} is {short(given[other])}", "leave it out", index, *path)
