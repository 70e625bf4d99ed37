"""What another file would change of a sweep, in words, and what of that a sweep that has started cannot take.

A started sweep takes whatever leaves its runs what they are: one execution of one program, with the same parameters,
measured by the same metric. Values, ranges, limits and the way of the search are about runs to come. Whether a run is
under way with what another file drops, only the server can tell (`server/rules/sweep_edits.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sweeper.definition.parameter_forms import CategoricalForm, ConstantForm, Form
from sweeper.definition.parameters import flat_forms
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.value_text import listed, plain
from sweeper.definition.yaml_document import Document, Fault, Path
from sweeper.space.values import json_key

NOTHING = "nothing"
ANEW = "create a new sweep of the file; `sweeper create --prior-run RUN` has it learn from runs of this one"
"""What to do where a sweep cannot be changed."""
_FIXED = {
    "program": "the runs so far are another program's",
    "command": "the runs so far were started in another way",
    "job": "the runs so far are another job's",
    "image_uri": "the runs so far are another image's",
    "project": "a sweep stays in its project",
    "entity": "a sweep stays with its owner",
}
"""Keys of which each run so far was an execution, and why another value would make them wrong."""
_KEYS_OF_METRIC = ("name", "goal")


@dataclass(frozen=True, slots=True)
class Change:
    """One key that another file says otherwise.

    Attributes:
        key: The key, dotted.
        old: What it said, in words; `nothing` if it did not stand there.
        new: What it says now, likewise.
        note: What that comes to, such as `adds 0.3; drops 0.1`; empty if old and new say it.
    """

    key: str
    old: str
    new: str
    note: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.key}: {self.old} -> {self.new}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a sweep that has started cannot take.

    Attributes:
        path: The keys from the top of the new file.
        message: Why not.
        fix: What to do instead.
    """

    path: Path
    message: str
    fix: str = ANEW

    def placed(self, found: Document) -> Fault:
        """Give it the place in the file."""
        return Fault(*found.place(self.path), self.path, self.message, self.fix)

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{'.'.join(map(str, self.path))}: {self.message}: {self.fix}"


def changes(old: SweepDefinition, new: SweepDefinition) -> tuple[Change, ...]:
    """List what a new file says otherwise, in the order of a sweep file's keys."""
    return tuple(_changes(old, new))


def _changes(old: SweepDefinition, new: SweepDefinition) -> Iterator[Change]:
    for key in SweepDefinition.model_fields:
        if key == "parameters":
            yield from _of_parameters(old, new)
        else:
            before, after = (definition.model_dump(include={key})[key] for definition in (old, new))
            yield from _of_value(key, before, after)


def _of_parameters(old: SweepDefinition, new: SweepDefinition) -> Iterator[Change]:
    before, after = old.forms, new.forms
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        if one is None or other is None or one.model_dump() != other.model_dump():
            note = _note(one, other)
            was, is_now = (NOTHING if form is None else _form_text(form) for form in (one, other))
            if was != is_now or note:
                yield Change(f"parameters.{name}", was, is_now, note)


def _form_text(form: Form) -> str:
    plainly = isinstance(form, ConstantForm | CategoricalForm) or form.name() in {"uniform", "int_uniform"}
    return form.range_text() if plainly else f"{form.name()} {form.range_text()}"


def _note(one: Form | None, other: Form | None) -> str:
    """Say which values come and go, where both list theirs."""
    if one is None or other is None:
        return ""
    before, after = _listed(one), _listed(other)
    if before is None or after is None:
        return "" if _form_text(one) != _form_text(other) else f"{one.name()} -> {other.name()}"
    come = [value for key, value in after.items() if key not in before]
    go = [value for key, value in before.items() if key not in after]
    parts = [f"{verb} {listed(values)}" for verb, values in (("adds", come), ("drops", go)) if values]
    return "; ".join(parts) or ("another order" if list(before) != list(after) else "")


def _listed(form: Form) -> dict[str, Any] | None:
    """Give the values that a form lists, by key; None for a range."""
    if isinstance(form, ConstantForm):
        return {json_key(form.value): form.value}
    return {json_key(value): value for value in form.values} if isinstance(form, CategoricalForm) else None


def _of_value(key: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping) and key != "launch":
        for name in dict.fromkeys((*before, *after)):
            yield from _of_value(f"{key}.{name}", before.get(name), after.get(name))
    elif key == "metrics" and before and after and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _of_value(f"{key}.{place}", one, other)
    else:
        yield Change(key, _words(before), _words(after))


def _words(value: Any) -> str:
    if value is None or value in ({}, []):
        return NOTHING
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items() if inner is not None)
    if isinstance(value, list):
        return listed([_words(item) if isinstance(item, Mapping) else item for item in value])
    return plain(value)


def refusals(old: SweepDefinition, new: SweepDefinition) -> tuple[Refusal, ...]:
    """List what of a new file a sweep that has started cannot take; none if it can be changed so."""
    if scheduled := [one for one in (old, new) if one.scheduler]:
        path = ("scheduler",) if scheduled[-1] is new else ()
        return (Refusal(path, "a scheduler of the sweep's own reads the file once, when it starts"),)
    return (*_of_metrics(old, new), *_of_fixed(old, new), *_of_names(old, new), *_of_types(old, new))


def _of_metrics(old: SweepDefinition, new: SweepDefinition) -> Iterator[Refusal]:
    why = "the runs so far were measured, judged and compared by that"
    if (old.several, bool(old.objectives)) != (new.several, bool(new.objectives)) or len(old.objectives) != len(
        new.objectives
    ):
        path = "metrics" if new.metrics else "metric"
        yield Refusal((path,), f"was {old.aim or 'none'}, and is to be {new.aim or 'none'}: {why}")
        return
    for place, (one, other) in enumerate(zip(old.objectives, new.objectives, strict=True)):
        above: Path = ("metrics", place) if new.several else ("metric",)
        for key in _KEYS_OF_METRIC:
            if (before := getattr(one, key)) != (after := getattr(other, key)):
                yield Refusal((*above, key), f"was {before}, and is to be {after}: {why}")


def _of_fixed(old: SweepDefinition, new: SweepDefinition) -> Iterator[Refusal]:
    for key, why in _FIXED.items():
        before, after = getattr(old, key), getattr(new, key)
        # where it goes without saying, as most files leave these two out
        if before != after and not (after is None and key in {"project", "entity"}):
            yield Refusal((key,), f"was {_words(before)}, and is to be {_words(after)}: {why}")


def _of_names(old: SweepDefinition, new: SweepDefinition) -> Iterator[Refusal]:
    before, after = dict(_paths(old)), dict(_paths(new))
    for path, name in before.items():
        if path not in after:
            gone = "the runs so far have it" + (", not in a group" if name in after.values() else "")
            yield Refusal(
                ("parameters",), f"`{name}` is missing: {gone}", "keep it; `value:` gives all runs to come one"
            )
    for path in after:
        if path not in before:
            yield Refusal(_keys(path), "is new: the runs so far do not have it")
    counts = [definition.sweeper.repeat_parameter for definition in (old, new)]
    if counts[0] != counts[1]:
        said = (
            f"was {_words(counts[0])}, and is to be {_words(counts[1])}: the runs so far have the one and not the other"
        )
        yield Refusal(("sweeper", "repeat_parameter"), said)


def _of_types(old: SweepDefinition, new: SweepDefinition) -> Iterator[Refusal]:
    forms = dict(flat_forms(old.parameters))
    for path, form in flat_forms(new.parameters):
        before = _types(forms[path]) if path in forms else set()
        if before and (others := _types(form) - before):
            said = f"is to be {' or '.join(sorted(others))}, and was {' or '.join(sorted(before))}"
            yield Refusal(_keys(path), said, f"give the values the type that they had; or {ANEW}")


def _types(form: Form) -> set[str]:
    """Name the types of a parameter's values; of null, which goes with all of them, none."""
    values = _listed(form)
    if values is None:
        return {"a number"}
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return {kinds[type(value)] for value in values.values() if type(value) in kinds}


def _paths(definition: SweepDefinition) -> Iterator[tuple[tuple[str, ...], str]]:
    for path, _ in flat_forms(definition.parameters):
        yield path, ".".join(path)


def _keys(path: tuple[str, ...]) -> Path:
    return tuple(key for name in path for key in ("parameters", name))
