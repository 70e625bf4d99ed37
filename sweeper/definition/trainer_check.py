"""What is to be said about a sweep's trainer before any run: whether it starts, and what it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sweeper.definition import import_probe, interpreter, scripts_beside, startable
from sweeper.definition.declaration import Declaration, declared
from sweeper.definition.obstacle import Obstacle
from sweeper.definition.parameter_forms import Form
from sweeper.definition.parameters import Nested
from sweeper.definition.program import DEFAULT_TRAINER, SHIPPED_PROGRAM, Choice, choose, is_shipped
from sweeper.definition.scripts_beside import Script
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.value_text import short
from sweeper.definition.yaml_document import did_you_mean
from sweeper.errors import TrainerError

PROBES = 200
"""Values of a parameter that are tried on the trainer's config."""
_THE_SHIPPED_ONE = f"{DEFAULT_TRAINER}, the shipped trainer,"
_SHIPPED = f"`program: {SHIPPED_PROGRAM}` takes the shipped trainer"


def obstacles(choice: Choice, environ: Mapping[str, str], *, imports: bool) -> Iterator[Obstacle]:
    """Look for what keeps the chosen trainer from starting in the current folder.

    Args:
        choice: What trains.
        environ: The environment of whoever starts it.
        imports: Whether a function is imported, in a process of its own; else its text is read.
    """
    found = list(interpreter.refusal(choice, environ)) or list(startable.obstacles(choice, environ))
    yield from found
    if imports and not found and choice.command is None and not is_shipped(choice.target):
        yield from import_probe.obstacles(choice, environ)


def beside(folders: Iterable[Path]) -> Iterator[Obstacle]:
    """Find scripts that were probably meant where nobody named a trainer; it is the shipped one then.

    Args:
        folders: Where the user stands, and where the sweep file lies.
    """
    scripts = scripts_beside.find(folders)
    if scripts:
        others = f" (as do {', '.join(str(other.path) for other in scripts[1:3])})" if scripts[1:] else ""
        found = f"the file names no `program:`, and {scripts[0].path} lies beside it{others}"
        # a launch may still be told of a function; and one of several scripts may be no trainer
        is_clear = scripts[0].starts and (scripts[0].is_usual or len(scripts) == 1)
        yield Obstacle("wrong" if is_clear else "unsaid", (), found, _name_it(scripts[0]))


def settle(definition: SweepDefinition, asked: str | None, environ: Mapping[str, str]) -> Choice:
    """Decide what a launch in the current folder trains with; a function's import is left to the workers.

    Args:
        definition: The sweep, as its server has it.
        asked: What the user gave as `--trainer`.
        environ: The environment of the workers.

    Raises:
        TrainerError: It cannot be started, does not know the sweep's parameters, or is probably not what was meant.
    """
    choice = choose(asked, definition.program, definition.command or ())
    scripts = scripts_beside.find([Path()]) if choice.by_default else []
    if scripts:
        found = f"the sweep names no `program:`, and {scripts[0].path} lies here"
        target = f"launch with --trainer {scripts[0].target}" if scripts[0].target else ""
        script = f"add `program: {scripts[0].path}` to its file and create it again" if scripts[0].starts else ""
        needs = "".join(f" ({one.message}: {one.fix})" for one in obstacles(choice, environ, imports=False))
        ways = " or ".join(filter(None, [target, script]))
        fix = f"{ways}; for the shipped trainer, --trainer {DEFAULT_TRAINER}{needs}"
        raise TrainerError(found, fix)
    found_here = list(obstacles(choice, environ, imports=False))
    if not found_here and choice.target == DEFAULT_TRAINER and is_shipped(DEFAULT_TRAINER):
        trainer = declared(None, DEFAULT_TRAINER)
        found_here.extend(against(definition, trainer, unsaid=choice.by_default) if trainer else ())
    for one in found_here:
        if one.is_error:
            fix = f"{one.fix}; or launch with --trainer package.module:function" if choice.by_default else one.fix
            raise TrainerError(one.message, fix)
    return choice


def _name_it(script: Script) -> str:
    function = f", or `program: {script.target}` for its function" if script.starts and script.target else ""
    later = "" if script.starts or not script.target else f", or launch with --trainer {script.target}"
    shipped = f"; {_SHIPPED}" if is_shipped(SHIPPED_PROGRAM) else ""
    return f"add `program: {script.program}`{function}{later}{shipped}"


def against(
    definition: SweepDefinition, trainer: Declaration, *, unsaid: bool = False, others: bool = False
) -> Iterator[Obstacle]:
    """Find what a trainer does not know: metrics, parameters, values.

    Args:
        definition: The sweep.
        trainer: What it declares.
        unsaid: Nobody named it: it is the shipped one.
        others: There is code that a launch may still be given instead.
    """
    name = f"the file names no `program:`, and {_THE_SHIPPED_ONE}" if unsaid else trainer.target
    for key, message, fix in _unknown(definition, trainer):
        more = "add `program:` with your own trainer; else " if unsaid else ""
        yield Obstacle("unsaid" if others else "wrong", key, f"{name} {message}", more + fix)


def _unknown(definition: SweepDefinition, trainer: Declaration) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    beyond = definition.sweeper
    for index, metric in enumerate(definition.objectives if trainer.metrics is not None else ()):
        if metric.name not in (trainer.metrics or ()):
            place = ("metrics", index, "name") if definition.metrics else ("metric", "name")
            yield place, f"never logs {short(metric.name)}", did_you_mean(metric.name, trainer.metrics or ())
    names: dict[str, tuple[str | int, ...]] = {name: ("parameters", name) for name in definition.parameters}
    if beyond.repeat_parameter:
        names[beyond.repeat_parameter] = ("sweeper", "repeat_parameter")
    for name, key in names.items():
        if name not in trainer.defaults and not trainer.takes_anything:
            yield key, f"has no parameter {short(name)}", did_you_mean(name, trainer.defaults)
    for name, form in definition.parameters.items():
        if not isinstance(form, Nested) and name in trainer.defaults and (said := _refused(name, form, trainer)):
            yield ("parameters", name), said, "take values that the trainer can use"


def _refused(name: str, form: Form, trainer: Declaration) -> str | None:
    # a continuous one is tried at its ends, where a trainer's limits show
    made = form.to_distribution()
    for value in (made.ppf(0.0), made.ppf(1.0)) if made.support is None else made.support[:PROBES]:
        if said := trainer.refusal(name, value):
            return f"refuses {short(value)}: {said}"
    return None
