"""Whether a module's text has a function that an agent can call; the module is not imported for it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator

from sweeper.definition.module_files import ModuleFile, find_module
from sweeper.definition.obstacle import ELSEWHERE, TOO_DEEP, Obstacle, in_code
from sweeper.definition.program import SHIPPED_NEEDS, Choice, is_shipped
from sweeper.definition.scripts_beside import required_arguments
from sweeper.definition.yaml_document import did_you_mean


def obstacles_of(choice: Choice) -> Iterator[Obstacle]:
    """Look for what keeps agents from calling the function that was chosen."""
    key, target = choice.key, choice.target
    if is_shipped(target):
        missing = [name for name in SHIPPED_NEEDS if importlib.util.find_spec(name) is None]
        if missing:
            fix = "pip install 'sweeper[trainer]', or give your own: --trainer package.module:function"
            yield Obstacle("missing", key, f"the shipped trainer needs {', '.join(missing)}: not installed here", fix)
        return
    module, _, name = target.partition(":")
    if not all(part.isidentifier() for part in module.split(".")) or not name.isidentifier():
        yield Obstacle("wrong", key, f"{target!r} is not a function", _as_function(target))
        return
    found = find_module(module)
    if found is None and module.endswith(".py"):
        yield Obstacle("wrong", key, f"{target!r} is not a function", _as_function(target))
    elif found is None:
        yield Obstacle("missing", key, f"no module {module!r} here or in this Python", ELSEWHERE)
    elif found.is_source:
        yield from _in_source(found, module, name, key)


def _as_function(target: str) -> str:
    if target.endswith(")") and (called := target.partition("(")[0]).partition(":")[2].isidentifier():
        return _as_function(called) if "/" in called or ".py:" in called else f"write {called}"
    module, _, name = target.partition(":")
    if module.endswith(".py") and name:
        return f"write {module[:-3].replace('/', '.')}:{name}"
    if "/" in module and name:
        return f"write {module.strip('./').replace('/', '.')}:{name}"
    if target.endswith(".py"):
        stem = target[:-3].strip("./").replace("/", ".")
        return f"write {stem}:FUNCTION; a script stands in the sweep file, as `program: {target}`"
    return "give --trainer package.module:function; a script stands in the sweep file, as `program:`"


def _in_source(found: ModuleFile, module: str, name: str, key: tuple[str | int, ...]) -> Iterator[Obstacle]:
    """Look for a function in a module's text: found there, an import may still fail."""
    wrong = list(in_code(found.path, key))
    if wrong:
        yield from wrong
        return
    try:
        tree = ast.parse(found.path.read_bytes())
    except TOO_DEEP:
        return
    if _makes_names(tree):
        return
    bound = list(_bound(tree))
    if name not in bound:
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        fix = did_you_mean(name, functions) if functions else "write one, or name a script: `program: FILE.py`"
        yield Obstacle("wrong", key, f"{module} has no function {name!r}", fix)
        return
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name != name or node.decorator_list:
            continue  # what a decorator makes of it, nobody knows
        if said := _not_for_agents(node):
            fix = "agents call it without arguments, and wait until it returns"
            yield Obstacle("wrong", key, f"{module}:{name} {said}", fix)


def _not_for_agents(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    if isinstance(node, ast.AsyncFunctionDef):
        return "is a coroutine (`async def`)"
    if needed := required_arguments(node):
        return f"wants arguments: {', '.join(needed)}"
    own = [inner for statement in node.body for inner in _within(statement)]
    return "is a generator (`yield`)" if any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own) else None


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a node without the functions and classes inside it."""
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield inner
            waiting.extend(ast.iter_child_nodes(inner))


def _makes_names(tree: ast.Module) -> bool:
    """Whether names may come into being that the text does not show."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Name) and node.id in {"globals", "exec", "eval", "setattr", "vars", "locals"}:
            return True
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            return True
    return False


def _bound(tree: ast.Module) -> Iterator[str]:
    """List every name that is bound anywhere in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
