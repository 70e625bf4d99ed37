"""What keeps a trainer from starting: the record, and code that Python does not read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

TOO_DEEP = (RecursionError, MemoryError)
"""What Python's parser raises for code that is nested too deep, as some of what machines write is."""
ELSEWHERE = "run from the folder it lies in"
GUARD = 'put what trains into a function, or under `if __name__ == "__main__":`'
"""What to do about a module that does not only define, when it is imported."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a trainer from starting.

    Attributes:
        kind: `missing`: it may be there elsewhere. `wrong`: it cannot be right anywhere. `unsaid`: nobody said what
            trains, and a launch still can. `note`: it may well be right.
        key: Where it stands in the sweep file; empty if it does not.
        message: What was found.
        fix: What to do instead.
    """

    kind: Literal["missing", "wrong", "unsaid", "note"]
    key: tuple[str | int, ...]
    message: str
    fix: str

    @property
    def is_error(self) -> bool:
        """Whether it keeps the sweep from being created; a launch is stricter: it needs a trainer."""
        return self.kind in {"missing", "wrong"}


def in_code(path: Path, key: tuple[str | int, ...]) -> Iterator[Obstacle]:
    """Find code that this Python does not read; it is compiled and not run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except TOO_DEEP:  # started from elsewhere on the stack, it may be read
        return
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        said = getattr(error, "msg", None) or str(error)
        where = f", line {line}" if line else ""
        yield unread(path, key, f"{where}: {type(error).__name__}: {said}")


def unread(path: Path, key: tuple[str | int, ...], said: str) -> Obstacle:
    """Say that a Python does not read a file, and why."""
    fix = f"mend {path}"
    if path.suffix not in {".py", ""}:
        starter = '`command: [bash, "${program}", "${args}"]`'
        fix = f"if it is no Python, add {starter}, with what starts {path.suffix} files"
    return Obstacle("wrong", key, f"{path}{said}", fix)
