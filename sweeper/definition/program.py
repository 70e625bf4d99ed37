"""Which trainer a sweep takes, and why: the user's choice, the file's `program:` or `command:`, or the shipped one."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sweeper.definition.command_macros import DEFAULT_COMMAND

DEFAULT_TRAINER = "trainer.train:train"
SHIPPED_PROGRAM = "trainer/train.py"
SHIPPED_NEEDS = ("torch", "onnx", "onnxruntime")
"""What every run of the shipped trainer imports, and `pip install sweeper` alone does not bring."""


_DEFAULT = "the shipped one: the file names no program"


@dataclass(frozen=True, slots=True)
class Choice:
    """What trains.

    Attributes:
        target: `package.module:function`, or a script or command, for a person to read.
        why: Who chose it, in words.
        command: What the agent starts, macros unexpanded; None if a function trains.
        program: What stands for `${program}` there.
        in_file: Whether the sweep file chose it.
    """

    target: str
    why: str
    command: tuple[str, ...] | None = None
    program: str | None = None
    in_file: bool = True

    @property
    def by_default(self) -> bool:
        """Whether nobody chose it: it is the shipped one."""
        return not self.in_file and self.why == _DEFAULT

    @property
    def key(self) -> tuple[str, ...]:
        """Where a function stands in the sweep file; empty if it does not."""
        return ("program",) if self.in_file else ()

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.target}, {self.why}"


def choose(asked: str | None, program: str | None, command: Sequence[object] = ()) -> Choice:
    """Decide what trains: `--trainer`, else the file's `command:` and `program:`, else the shipped trainer.

    Args:
        asked: What the user gave as `--trainer`: a function.
        program: The file's `program:`: a script, or a function as `package.module:function`.
        command: The file's `command:`, which is about programs.
    """
    if asked is not None:
        return Choice(asked, "as --trainer says", in_file=False)
    items = tuple(map(str, command))
    if program is None and not items:
        return Choice(DEFAULT_TRAINER, _DEFAULT, in_file=False)
    shipped = is_shipped(program)
    if items or not (shipped or ":" in (program or "")):
        named = program if program and "${program}" in (items or DEFAULT_COMMAND) else None
        why = "as the file's `command:` says" if items else "the script that the file's `program:` names"
        return Choice(named or " ".join(items) or "nothing", why, command=items or DEFAULT_COMMAND, program=program)
    if shipped:
        return Choice(DEFAULT_TRAINER, "the shipped one, as the file's `program:` says")
    return Choice(str(program), "as the file's `program:` says")


def is_shipped(program: str | None) -> bool:
    """Whether a `program:` or function names the shipped trainer, and not the user's own one of the same name."""
    if program not in {DEFAULT_TRAINER, SHIPPED_PROGRAM}:
        return False
    spec = importlib.util.find_spec("trainer")
    shipped = Path(spec.origin).parent if spec and spec.origin else None
    # what lies in the current folder is found first, by the worker too
    own = [Path("trainer", "train.py"), Path("trainer", "__init__.py"), Path("trainer.py")]
    return shipped is not None and all(file.parent.samefile(shipped) for file in own if file.exists())


@contextmanager
def here() -> Iterator[None]:
    """Let modules of the current folder be found, as they will be in the worker."""
    # as `python -m` does, which starts the workers
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    finally:
        sys.path.pop(0)
