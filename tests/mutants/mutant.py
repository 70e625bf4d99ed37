"""A mutant: one plausible fault of one line, and how the lists of them are read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent / "lists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A fault that somebody might make, and the tests that shall notice.

    Attributes:
        file: The module, as seen from the root of the project.
        old: Text that stands in it exactly once.
        new: What stands there instead.
        why: What makes the fault plausible, or what it would do to a user.
        tests: The files or tests of pytest that notice; none: those that mirror the module.
        list: The list that has it, without its suffix.
    """

    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...] = ()
    list: str = ""

    @property
    def room(self) -> str:
        """The folder of the module."""
        return str(Path(self.file).parent)

    @property
    def noticed_by(self) -> tuple[str, ...]:
        """The tests to run."""
        return self.tests or (str(_mirror(Path(self.file))),)

    @property
    def name(self) -> str:
        """The module and the change, in one line."""
        return f"{self.file}: {_line(self.old)} -> {_line(self.new) or 'nothing'}"

    def applied(self, text: str) -> str:
        """Give a module's text with the fault in it.

        Raises:
            ValueError: The old text is not there exactly once, or the new text is no Python.
        """
        if (found := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}\nThe old text is there {found} times: change {self.list}.toml.")
        changed = text.replace(self.old, self.new)
        try:
            compile(changed, self.file, "exec")
        except SyntaxError as error:
            raise ValueError(f"{self.name}\nThe new text is no Python: {error}") from error
        if changed == text:
            raise ValueError(f"{self.name}\nThe new text is the old one.")
        return changed


def mutants(folder: Path = LISTS) -> list[Mutant]:
    """Read every list of a folder, in the order of their names.

    Raises:
        ValueError: A list has a key that a mutant has not, or lacks one.
    """
    found = []
    for file in sorted(folder.glob("*.toml")):
        for entry in tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]:
            tests = tuple(entry.pop("tests", ()))
            try:
                found.append(Mutant(**entry, tests=tests, list=file.stem))
            except TypeError as error:
                raise ValueError(f"{file.name}: {error}: {entry}") from error
    return found


def _mirror(file: Path) -> Path:
    inner = file.relative_to("sweeper") if file.parts[0] == "sweeper" else file
    return Path("tests/unit") / inner.with_name(f"test_{file.name}")


def _line(text: str) -> str:
    return " ".join(text.split())
