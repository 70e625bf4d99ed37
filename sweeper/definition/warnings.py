"""What is allowed in a sweep file and probably not meant, or what W&B does otherwise: warnings, not errors."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sweeper.definition.parameter_forms import WeightedForm
from sweeper.definition.parameters import Nested, flat_forms
from sweeper.definition.placed_faults import at, misread
from sweeper.definition.strict_model import as_number
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.value_text import short
from sweeper.definition.yaml_document import YAML_TEXT, Document, Fault, Path

_RISING = ("acc", "f1", "auc", "precision", "recall", "reward", "r2", "iou", "dice", "bleu", "map", "psnr", "success")
_FALLING = ("loss", "err", "rmse", "mse", "mae", "perplexity", "ppl", "nll", "latency")

Advice = tuple[Path, str, str]


def advise(definition: SweepDefinition, found: Document) -> list[Fault]:
    """List the warnings for a definition that is right, in the order of the file."""
    parts = (_misread(found), _metric(definition), _limits(definition), _stopping(definition), _command(definition))
    advice = [*(item for part in parts for item in part), *_parameters(definition)]
    placed = [Fault(*found.place(path), path, message, fix, "warning") for path, message, fix in advice]
    return sorted(placed, key=lambda fault: (fault.line, fault.column))


def _misread(found: Document) -> Iterator[Advice]:
    """Name what YAML 1.1 reads otherwise than it looks: `1e-5` is text, `on` is true, `010` is 8, `1:30` is 90."""
    yield from ((fault.path, fault.message, fault.fix) for fault in misread(found))
    for path, text in found.spelled.items():
        value = at(found.data, path)
        if isinstance(value, float) and YAML_TEXT.fullmatch(text):
            found_here = f"YAML reads {text} as text; this trainer wants a real number and gets {value:g}"
            yield path, found_here, f"write {as_number(text)}"
        elif not text:
            yield path, "nothing stands here, which YAML reads as null", "give it a value, or write null"
        elif not isinstance(value, str):
            written = str(value).lower()
            yield path, f"YAML reads {text} as {written}", f'write {written}, or "{text}" for a text'


def _metric(definition: SweepDefinition) -> Iterator[Advice]:
    for index, metric in enumerate(definition.objectives):
        place: Path = ("metrics", index, "name") if definition.metrics else ("metric", "name")
        if (stripped := metric.name.strip()) != metric.name:
            yield (
                place,
                f"the metric's name {metric.name!r} has a space at an end",
                f"write `{stripped}`, if it is logged so",
            )
        name = metric.name.lower()
        # a falling word wins: `accuracy_loss` is a loss
        rising = any(word in name for word in _RISING) and not any(word in name for word in _FALLING)
        falling = any(word in name for word in _FALLING)
        if not (rising if metric.sign > 0 else falling):
            continue
        given = "" if "goal" in metric.model_fields_set else ", the default"
        other = "maximize" if rising else "minimize"
        yield (
            place,
            f"{metric.name} is to {metric.goal}{given}",
            f"if {'more' if rising else 'less'} is better, write `goal: {other}`",
        )


def _limits(definition: SweepDefinition) -> Iterator[Advice]:
    size, cap = definition.configurations, definition.run_cap
    if size is not None and cap is not None and cap > size * definition.sweeper.repeats:
        total = size * definition.sweeper.repeats
        found = f"there are only {total} runs to make, not {cap}: no configuration is tried again, as W&B would"
        yield (
            ("run_cap",),
            found,
            "leave it out, search more values, or run each several times: `sweeper: {repeats: 3}`",
        )
    if size is not None and definition.method == "random" and (cap is None or cap >= size):
        for name, form in definition.parameters.items():
            if isinstance(form, WeightedForm):
                found = "every configuration runs once, so these only decide the order"
                yield ("parameters", name, "probabilities"), found, "leave them out, or set a smaller `run_cap`"
    if cap is not None and len(definition.sweeper.initial) > cap:
        yield ("sweeper", "initial"), f"only {cap} of them fit into `run_cap`", "raise `run_cap`"


def _stopping(definition: SweepDefinition) -> Iterator[Advice]:
    rule = definition.early_terminate
    if rule and "strict" not in rule.model_fields_set:
        fix = "write `strict: true` or `strict: false`"
        yield ("early_terminate",), "W&B's docs say `strict` is false by default, its engine takes true", fix


def _command(definition: SweepDefinition) -> Iterator[Advice]:
    command = [str(item) for item in definition.command or ()]
    nested = [name for name, form in definition.parameters.items() if isinstance(form, Nested)]
    # the agent (wandb 0.31) writes nested parameters with str(); only the JSON macros keep them whole
    plain = next((item for item in command if item.startswith("${args") and "json" not in item), None)
    if nested and plain:
        fix = "read wandb.config, or use ${args_json}"
        yield ("command",), f"{plain} passes {nested[0]} as the text of a Python dict", fix
    if command and "${program}" in command and definition.program is None:
        yield ("command",), "${program} is empty: the file has no `program:`", "add `program: train.py`"


def _parameters(definition: SweepDefinition) -> Iterator[Advice]:
    for path, form in flat_forms(definition.parameters):
        keys = tuple(key for name in path for key in ("parameters", name))
        for value in getattr(form, "values", [getattr(form, "value", None)]):
            if isinstance(value, str) and re.match(r"~/|\$\w|\$\{\w", value):
                key = "values" if hasattr(form, "values") else "value"
                yield (*keys, key), f"{short(value)} is passed as it stands: no shell expands it", "write it out"
        for key, message, fix in form.warnings():
            yield (*keys, key), message, fix
