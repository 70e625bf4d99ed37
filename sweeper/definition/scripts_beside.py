"""Scripts that lie beside a sweep file and look like its trainer: read, never run.

A file that names no `program:` has the shipped trainer run, which is rarely what was meant where a `train.py` lies
beside it.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeper.definition.obstacle import TOO_DEEP
from sweeper.definition.program import SHIPPED_PROGRAM, is_shipped

NAMES = ("train", "main", "run", "trainer", "training", "finetune", "fit", "experiment", "sweep")
"""How trainers are called, the likeliest first."""
_NO_TRAINERS = re.compile(r"(setup|conftest|noxfile|__init__|__main__|test_.*|.*_test)\.py")
_MAX_BYTES = 500_000
_MAX_FILES = 100


@dataclass(frozen=True, slots=True)
class Script:
    """A Python file that looks like a trainer.

    Attributes:
        path: As `program:` would name it, from the current folder.
        starts: Whether it trains when it is started as a script.
        function: A function in it that an agent could call; None if there is none.
    """

    path: Path
    starts: bool
    function: str | None

    @property
    def is_usual(self) -> bool:
        """Whether it has the name of a trainer."""
        return _called_so(self.path)

    @property
    def program(self) -> str:
        """What `program:` should say: the script, or the function where starting the script does nothing."""
        return str(self.path) if self.starts else self.target or str(self.path)

    @property
    def target(self) -> str | None:
        """Its function as `package.module:function`; None if no agent could call one."""
        parts = self.path.with_suffix("").parts
        can_be_imported = all(part.isidentifier() for part in parts)
        return f"{'.'.join(parts)}:{self.function}" if self.function and can_be_imported else None


def find(folders: Iterable[Path]) -> list[Script]:
    """List the scripts that look like trainers, the likeliest first.

    One does that is called as trainers are, or mentions wandb; and that trains when it is started, or has a function
    for an agent.

    Args:
        folders: Where to look, not deeper; nonexistent ones are skipped.
    """
    found = [script for path in _files(folders) if (script := _read(path)) is not None]
    return sorted(found, key=lambda script: (not script.starts, _rank(script.path), script.path))


def any_code(folders: Iterable[Path]) -> bool:
    """Whether there is any Python file that may hold a trainer of the user's."""
    return any(True for _ in _files(folders))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in folders:
        try:
            paths = sorted(folder.glob("*.py"))[:_MAX_FILES]
        except OSError:
            continue
        for path in paths:
            if not _NO_TRAINERS.fullmatch(path.name) and path.is_file() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield Path(os.path.relpath(path))
    own = Path(SHIPPED_PROGRAM)
    if own.is_file() and not is_shipped(SHIPPED_PROGRAM):  # it hides the shipped trainer
        yield own


def _called_so(path: Path) -> bool:
    return path.stem in NAMES or path.stem.startswith(("train_", "run_"))


def _rank(path: Path) -> int:
    return NAMES.index(path.stem) if path.stem in NAMES else len(NAMES)


def _read(path: Path) -> Script | None:
    """Read one file; None if it does not look like a trainer."""
    called_so = _called_so(path)
    try:
        content = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else b""
    except OSError:
        return None
    mentions = b"wandb" in content.lower()
    if not (called_so or mentions):
        return None
    try:
        return _of_tree(path, ast.parse(content), called_so=called_so)
    except (SyntaxError, ValueError, *TOO_DEEP):  # to be mended, and then a trainer
        return Script(path, starts=True, function=None) if called_so else None


def _of_tree(path: Path, tree: ast.Module, *, called_so: bool) -> Script | None:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not required_arguments(node)]
    logging = [node.name for node in functions if _calls(node, "wandb.init")]
    names = logging or [node.name for node in functions if called_so and node.name in NAMES]
    # one that starts agents by itself is no program for them, but its function may be
    starts = _starts(tree) and not (_calls(tree, "wandb.agent") or _calls(tree, "wandb.sweep"))
    return Script(path, starts, names[0] if names else None) if starts or names else None


def required_arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Name the arguments that a call has to give."""
    positional = [*node.args.posonlyargs, *node.args.args]
    without_default = positional[: len(positional) - len(node.args.defaults)]
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return [argument.arg for argument in (*without_default, *(key for key, default in pairs if default is None))]


def _calls(tree: ast.AST, name: str) -> bool:
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) == name for node in ast.walk(tree))


def _starts(tree: ast.Module) -> bool:
    """Whether starting the file as a script does something: a main guard, `wandb.init`, or a call of its own names."""
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            own |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if _calls(node, "wandb.init"):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            root = ast.unparse(node.value.func).partition(".")[0].partition("(")[0]
            if root in own and not root.startswith("log"):
                return True
    return False
