"""What a newcomer gives instead of a sweep file, and how a file is no sweep as a whole: told in one sentence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeper.definition.yaml_document import Document, Fault
from sweeper.errors import DefinitionError

_PROGRAMS = {".py": "a Python file", ".ipynb": "a notebook", ".sh": "a shell script"}
_EXAMPLE = "give the path of a YAML file, such as sweeps/quickstart.yaml"
_ONE_OF = ("method", "parameters")
"""Keys that a sweep file has and hardly any other YAML."""


def refuse(path: Path) -> None:
    """Refuse what cannot be read as a sweep file, before it is read as YAML.

    Raises:
        DefinitionError: It is a program, an address, a folder, or not there.
    """
    if kind := _PROGRAMS.get(path.suffix):
        fix = f"give the sweep's YAML file; {path.name} is named there, as `program: {path.name}`"
        raise DefinitionError(f"{path}: is {kind}, no sweep file", fix)
    if re.match(r"[a-z]+:/", str(path)):  # a Path keeps one slash of `https://`
        raise DefinitionError(f"{path}: is an address, no file", "download it first, and give the path of the file")
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError:  # nobody may look there, or the name is too long: reading it tells
        return
    if is_folder:
        names = _named(path)
        fix = f"give one of its files: {', '.join(map(str, names))}" if names else _EXAMPLE
        raise DefinitionError(f"{path}: is a folder, no sweep file", fix)
    if not is_there:
        close = difflib.get_close_matches(path.name, [file.name for file in _named(path.parent)], n=1)
        fix = f"did you mean {path.with_name(close[0])}?" if close else _EXAMPLE
        raise DefinitionError(f"{path}: No such file or directory", fix)


def _named(folder: Path) -> list[Path]:
    try:
        found = (file for file in folder.iterdir() if file.suffix in {".yaml", ".yml", ".json"})
        return sorted(found)[:10]
    except OSError:
        return []


def no_sweep(found: Document) -> Fault | None:
    """Say how a document is no sweep as a whole; None if its keys may be those of one."""
    data = found.data
    if any(key in data for key in _ONE_OF):
        return None
    if "wandb_version" in data or "_wandb" in data:
        fix = "give the file that describes the sweep: it has `method:` and `parameters:`"
        return Fault(1, 1, (), "this is the config of a run, no sweep file", fix)
    if path := _deeper(data):
        key = ".".join(path)
        fix = f"move what stands below `{key}:` to the left, and remove `{key}:`"
        return Fault(*found.place(path), path, "the sweep stands below this key, and not at the top", fix)
    return None


def _deeper(data: Mapping[str, Any], depth: int = 3) -> tuple[str, ...] | None:
    """Find the key below which a sweep stands."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            if all(name in value for name in _ONE_OF):
                return (key,)
            if depth and (path := _deeper(value, depth - 1)):
                return (key, *path)
    return None
