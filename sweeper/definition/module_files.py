"""Where the code of a module lies, found without importing it or its packages: an import would run them."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A module that can be found.

    Attributes:
        path: Its file; of a namespace package its folder.
        is_package: Whether it is a package.
        is_source: Whether the file is Python's source.
    """

    path: Path
    is_package: bool
    is_source: bool

    @property
    def folder(self) -> Path:
        """The folder of a package."""
        return self.path if self.path.is_dir() else self.path.parent


def find_module(name: str) -> ModuleFile | None:
    """Find a module by its dotted name, in the current folder first; None if there is none."""
    importlib.invalidate_caches()  # a file may be seconds old
    where: list[str] | None = [str(Path.cwd()), *sys.path]
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    spec: ModuleSpec | None = None
    for depth, part in enumerate(parts):
        # by its own name alone: for a dotted one the finder wants its packages imported
        spec = None if where is None else PathFinder.find_spec(part, where) if depth else _spec(part, where)
        if spec is None:
            return None
        where = list(spec.submodule_search_locations) if spec.submodule_search_locations is not None else None
    assert spec is not None  # noqa: S101 a name has a part
    if spec.origin is None or spec.origin in {"built-in", "frozen"}:
        return ModuleFile(Path(where[0]) if where else Path(name), where is not None, is_source=False)
    return ModuleFile(Path(spec.origin), where is not None, spec.origin.endswith(".py"))


def _spec(name: str, where: list[str]) -> ModuleSpec | None:
    found = BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name) or PathFinder.find_spec(name, where)
    try:
        return found or importlib.util.find_spec(name)  # installed to be edited: nothing is imported for a first name
    except (ImportError, ValueError):
        return None
