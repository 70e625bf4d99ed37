"""Which parameter of a trainer is its seed: named by the user, or found by what seeds are called."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.definition.declaration import Declaration
from sweeper.definition.module_files import find_module
from sweeper.definition.obstacle import TOO_DEEP
from sweeper.definition.program import Choice
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.yaml_document import did_you_mean
from sweeper.errors import ResultError, TrainerError
from sweeper.metric_value import flat

NAMES = ("seed", "random_seed", "rng_seed", "manual_seed", "global_seed", "train_seed", "random_state", "seed_value")
"""How seeds are called, the likeliest first; the last part of a dotted name counts, and neither case nor hyphens do."""
_CONFIGS = frozenset({"config", "cfg", "conf", "args", "hparams", "hp", "params", "opt", "opts", "flags"})
"""What the parameters of a run are called in code: `args.seed` is one, `numpy.random.seed` is none."""
_MAX_BYTES = 500_000


@dataclass(frozen=True, slots=True)
class SeedParameter:
    """The parameter that is a trainer's seed.

    Attributes:
        name: Its dotted name.
        why: How it was found, in words.
    """

    name: str
    why: str


def find(
    definition: SweepDefinition,
    asked: str | None,
    *,
    trainer: Declaration | None,
    config: Mapping[str, Any],
    choice: Choice | None,
) -> SeedParameter:
    """Find the parameter that is the seed.

    Args:
        definition: The sweep.
        asked: What the user named.
        trainer: What the trainer declares; None if it declares nothing that may be read here.
        config: The whole config of a run of the sweep: a trainer may put its defaults there.
        choice: What trains, if its text lies on this machine; it is read, and not run.

    Raises:
        TrainerError: The trainer does not know the parameter that was named.
        ResultError: Nothing is called like a seed, or several parameters are.
    """
    if asked is not None:
        return _asked(definition, asked, trainer)
    if definition.sweeper.repeat_parameter:
        return SeedParameter(definition.sweeper.repeat_parameter, "the file's `repeat_parameter`")
    places = [
        ("a parameter of the sweep", list(definition.forms)),
        ("a parameter of the trainer", [] if trainer is None else list(trainer.defaults)),
        ("in the config of the best run", [name for name, _ in flat(config)]),
        ("in the trainer's code", list(_in_code(choice)) if choice else []),
    ]
    for why, names in places:
        if found := _likeliest(names):
            if len(found) > 1:
                raise ResultError(f"several parameters may be the seed: {', '.join(found)}", _NAME_IT)
            return SeedParameter(found[0], why)
    raise ResultError("no parameter is called like a seed, so other seeds cannot be given", _NAME_IT)


_NAME_IT = "name it: --seed-parameter NAME; the trainer has to read it from its config (`config.get('seed', 0)`)"


def _asked(definition: SweepDefinition, asked: str, trainer: Declaration | None) -> SeedParameter:
    first = asked.partition(".")[0]
    known = asked in definition.forms or asked == definition.sweeper.repeat_parameter
    if not known and trainer is not None and not trainer.takes_anything and first not in trainer.defaults:
        raise TrainerError(
            f"{trainer.target} has no parameter {asked!r}", did_you_mean(asked, [*trainer.defaults]) or _NAME_IT
        )
    return SeedParameter(asked, "as --seed-parameter says")


def _likeliest(names: Iterable[str]) -> list[str]:
    """Pick the names that are called like a seed: those with the likeliest word."""
    words = {name: _word(name.rpartition(".")[2]) for name in names}
    for word in NAMES:
        if found := [name for name in words if words[name] == word]:
            return found
    return []


def _word(name: str) -> str:
    return name.lower().replace("-", "_")


def _in_code(choice: Choice) -> Iterator[str]:
    """Find what a trainer's text names like a parameter: an option, a key, a field, an argument of its function."""
    path, function = _file_of(choice)
    try:
        if path is None or path.stat().st_size > _MAX_BYTES:
            return
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, *TOO_DEEP):  # a launch will say what is wrong with it
        return
    for node in ast.walk(tree):
        for name in _named(node, function):
            word = name.removeprefix("--")  # with its hyphens: the agent passes the name on as it is
            if _word(word) in NAMES:
                yield word


def _file_of(choice: Choice) -> tuple[Path | None, str]:
    if choice.command is not None:
        return Path(choice.program or choice.target), ""
    module, _, function = choice.target.partition(":")
    found = find_module(module)
    return (found.path if found and found.is_source else None), function


def _named(node: ast.AST, function: str) -> Sequence[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name) if owner in _CONFIGS:
            return [name]
        case ast.ClassDef(body=body):
            targets = [line.target for line in body if isinstance(line, ast.AnnAssign)]
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.FunctionDef(name=name, args=arguments) if name == function:
            return [one.arg for one in (*arguments.args, *arguments.kwonlyargs)]
    return []
