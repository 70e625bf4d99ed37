"""Check a sweep file without a server: its faults, its warnings, and its parameters as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sweeper.definition import (
    interpreter,
    mistaken_files,
    placed_faults,
    scripts_beside,
    trainer_check,
    warnings,
    yaml_document,
)
from sweeper.definition.declaration import Declaration, declared
from sweeper.definition.obstacle import Obstacle
from sweeper.definition.parameters import flat_forms
from sweeper.definition.program import SHIPPED_PROGRAM, Choice, choose
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.value_text import listed, plain
from sweeper.definition.yaml_document import Document, Fault
from sweeper.errors import DefinitionError, TrainerError


@dataclass(frozen=True, slots=True)
class Look:
    """Where a check looks for the trainer of a file.

    Attributes:
        folder: The file's.
        environ: The environment of whoever will start it.
        imports: Whether a function is imported (in a process of its own), and a trainer that is missing an error.
    """

    folder: Path
    environ: Mapping[str, str]
    imports: bool = False

    @property
    def finds_code(self) -> bool:
        """Whether there is code that may be meant."""
        return scripts_beside.any_code([Path(), self.folder])

    def obstacles(self, choice: Choice) -> Iterator[Obstacle]:
        """Look for what keeps a choice from training here."""
        if choice.by_default:
            found = list(trainer_check.beside([Path(), self.folder]))
            yield from found or interpreter.refusal(choice, self.environ)
        else:
            yield from trainer_check.obstacles(choice, self.environ, imports=self.imports or not choice.in_file)

    def judged(self, obstacle: Obstacle) -> Obstacle:
        """Say how much an obstacle weighs: what is missing here may lie where the sweep runs."""
        if obstacle.kind != "missing":
            return obstacle
        if self.imports:
            return replace(obstacle, fix=f"{obstacle.fix}; if it lies on another machine: --elsewhere")
        return replace(obstacle, kind="note")


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
        choice: What trains, as far as the file says and the user said.
    """

    source: str
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    definition: SweepDefinition | None = None
    rows: tuple[ParameterRow, ...] = ()
    choice: Choice | None = None

    @property
    def sweep(self) -> SweepDefinition:
        """The definition of a file without faults.

        Raises:
            DefinitionError: It has some.
        """
        if self.faults or self.definition is None:
            raise yaml_document.faulty(self.source, self.faults)
        return self.definition


def check_file(path: Path, *, trainer: str | None = None, look: Look | None = None) -> Check:
    """Check a sweep file, beside the trainer that the user names or the shipped one.

    Args:
        path: The file.
        trainer: As `check` has it.
        look: Where to look for the trainer; None leaves that to a launch.

    Raises:
        DefinitionError: The file cannot be read.
        TrainerError: The trainer that the user names cannot be imported.
    """
    mistaken_files.refuse(path)
    return check(yaml_document.read_file(path), str(path), trainer=trainer, look=look)


def check(text: str, source: str, *, trainer: str | None = None, look: Look | None = None) -> Check:
    """Check the text of a sweep file; faults are in what it returns, not raised.

    Args:
        text: The YAML.
        source: Its name, for messages.
        trainer: `package.module:function` to check it against, imported; the file's own is not.
        look: Where to look for the trainer; None leaves that to a launch.

    Raises:
        TrainerError: The trainer cannot be imported.
    """
    try:
        return check_document(yaml_document.read(text, source), source, trainer=trainer, look=look)
    except DefinitionError as error:
        return Check(source=source, faults=error.faults)


def check_document(found: Document, source: str, *, trainer: str | None = None, look: Look | None = None) -> Check:
    """Do what `check` does for a text that has been read already: reading a long one takes seconds.

    Raises:
        DefinitionError: It is no sweep.
        TrainerError: The trainer cannot be imported.
    """
    definition = SweepDefinition.from_document(found, source)
    choice = choose(trainer, definition.program, definition.command or ())
    seen = list(look.obstacles(choice)) if look else []
    if trainer is not None and (said := next((one for one in seen if one.kind in {"wrong", "missing"}), None)):
        raise TrainerError(said.message, said.fix)
    unsaid = choice.by_default and look is not None and not seen
    # one whose import takes too long in a process of its own would not end in this one either
    given_up = trainer is not None and bool(seen)
    declaration = None if given_up else declared(trainer, SHIPPED_PROGRAM if unsaid else definition.program)
    if declaration:
        reals = [name for name in definition.parameters if declaration.takes_real(name)]
        found = placed_faults.as_meant(found, reals)
        definition = SweepDefinition.from_document(found, source)
        others = look is not None and unsaid and (look.imports or look.finds_code)
        seen.extend(trainer_check.against(definition, declaration, unsaid=unsaid, others=others))
    placed = [
        Fault(*found.place(one.key), one.key, one.message, one.fix, "error" if one.is_error else "warning")
        for one in (look.judged(one) if look else one for one in seen)
    ]
    return Check(
        source=source,
        faults=tuple(fault for fault in placed if fault.level == "error"),
        warnings=tuple(_warnings(placed, warnings.advise(definition, found))),
        definition=definition,
        rows=tuple(_rows(definition, declaration)),
        choice=choice,
    )


def _warnings(placed: Sequence[Fault], advised: Sequence[Fault]) -> Iterator[Fault]:
    wrong = {fault.path for fault in placed if fault.level == "error"}
    yield from (fault for fault in placed if fault.level == "warning")
    yield from (fault for fault in advised if fault.path not in wrong)  # of which an error has told


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
