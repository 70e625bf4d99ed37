"""Check a sweep file without a server: its faults, its warnings, and its parameters as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sweeper.definition import mistaken_files, warnings, yaml_document
from sweeper.definition.parameter_forms import Form
from sweeper.definition.parameters import Nested, flat_forms
from sweeper.definition.program import Declaration, declared
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.value_text import listed, plain, short
from sweeper.definition.yaml_document import Document, Fault, did_you_mean
from sweeper.errors import DefinitionError

PROBES = 200
"""Values of a parameter that are tried on the trainer's config."""


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter as the table shows it.

    Attributes:
        name: Dotted.
        distribution: The name of its distribution.
        range: Its values or limits.
        default: What the trainer takes where the sweep says nothing; empty if it does not declare it.
    """

    name: str
    distribution: str
    range: str
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A checked file.

    Attributes:
        source: Its name.
        faults: What is wrong, in the order of the file; the sweep cannot be created.
        warnings: What is allowed and probably not meant.
        definition: The sweep; None if the file is none.
        rows: Its parameters.
    """

    source: str
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    definition: SweepDefinition | None = None
    rows: tuple[ParameterRow, ...] = ()

    @property
    def sweep(self) -> SweepDefinition:
        """The definition of a file without faults.

        Raises:
            DefinitionError: It has some.
        """
        if self.faults or self.definition is None:
            raise yaml_document.faulty(self.source, self.faults)
        return self.definition


def check_file(path: Path, *, trainer: str | None = None) -> Check:
    """Check a sweep file, beside the trainer that the user names or the shipped one.

    Raises:
        DefinitionError: The file cannot be read.
        TrainerError: The trainer cannot be imported.
    """
    mistaken_files.refuse(path)
    return check(yaml_document.read_file(path), str(path), trainer=trainer)


def check(text: str, source: str, *, trainer: str | None = None) -> Check:
    """Check the text of a sweep file; faults are in what it returns, not raised.

    Args:
        text: The YAML.
        source: Its name, for messages.
        trainer: `package.module:function` to check it against, imported; the file's own is not.

    Raises:
        TrainerError: The trainer cannot be imported.
    """
    try:
        return check_document(yaml_document.read(text, source), source, trainer=trainer)
    except DefinitionError as error:
        return Check(source=source, faults=error.faults)


def check_document(found: Document, source: str, *, trainer: str | None = None) -> Check:
    """Do what `check` does for a text that has been read already: reading a long one takes seconds.

    Raises:
        DefinitionError: It is no sweep.
        TrainerError: The trainer cannot be imported.
    """
    definition = SweepDefinition.from_document(found, source)
    declaration = declared(trainer, definition.program)
    unknown = list(_against(definition, declaration)) if declaration else []
    return Check(
        source=source,
        faults=tuple(
            replace(fault, line=place[0], column=place[1]) for fault in unknown for place in [found.place(fault.path)]
        ),
        warnings=tuple(warnings.advise(definition, found)),
        definition=definition,
        rows=tuple(_rows(definition, declaration)),
    )


def _against(definition: SweepDefinition, trainer: Declaration) -> Iterator[Fault]:
    """Find what the trainer does not know."""
    beyond = definition.sweeper
    for index, metric in enumerate(definition.objectives if trainer.metrics is not None else ()):
        if metric.name not in (trainer.metrics or ()):
            path = ("metrics", index, "name") if definition.metrics else ("metric", "name")
            found = f"{trainer.target} never logs {short(metric.name)}"
            yield Fault(0, 0, path, found, did_you_mean(metric.name, trainer.metrics or ()))
    names = {name: ("parameters", name) for name in definition.parameters}
    if beyond.repeat_parameter:
        names[beyond.repeat_parameter] = ("sweeper", "repeat_parameter")
    for name, path in names.items():
        if name not in trainer.defaults and not trainer.takes_anything:
            found = f"{trainer.target} has no parameter {short(name)}"
            yield Fault(0, 0, path, found, did_you_mean(name, trainer.defaults))
    for name, form in definition.parameters.items():
        if isinstance(form, Nested) or name not in trainer.defaults:
            continue
        if said := _refused(name, form, trainer):
            yield Fault(0, 0, ("parameters", name), said, "take values that the trainer can use")


def _refused(name: str, form: Form, trainer: Declaration) -> str | None:
    # a continuous one is tried at its ends, where a trainer's limits show
    made = form.to_distribution()
    for value in (made.ppf(0.0), made.ppf(1.0)) if made.support is None else made.support[:PROBES]:
        if said := trainer.refusal(name, value):
            return f"{trainer.target} refuses {short(value)}: {said}"
    return None


def _rows(definition: SweepDefinition, trainer: Declaration | None) -> Iterator[ParameterRow]:
    defaults = trainer.defaults if trainer else {}
    for path, form in flat_forms(definition.parameters):
        name = ".".join(path)
        default = defaults.get(path[0], ...) if len(path) == 1 else ...
        tests = definition.space.conditions.get(name, {})
        only = "".join(f", if {other} is {listed(values, ' or ')}" for other, values in tests.items())
        yield ParameterRow(name, form.name(), form.range_text() + only, "" if default is ... else plain(default))
    if definition.sweeper.repeat_parameter is not None:
        yield ParameterRow(definition.sweeper.repeat_parameter, "repeats", f"1 to {definition.sweeper.repeats}", "")
