"""What a `command:` starts: the words that the agent makes of it, read as the kernel, `env`, Python and shells do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from sweeper.definition.command_macros import ENVVAR, MACROS, is_whole

PYTHON = re.compile(r"(python|pypy)(\d(\.\d+)?)?")
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh"})


@dataclass(frozen=True, slots=True)
class Word:
    """One argument of the command that the agent starts.

    Attributes:
        text: The argument; empty for the run's parameters, of which there may be any number.
        key: Where it stands in the sweep file.
    """

    text: str
    key: tuple[str | int, ...]

    @property
    def is_parameters(self) -> bool:
        """Whether the run's parameters stand here."""
        return not self.text


@dataclass(frozen=True, slots=True)
class StartedCommand:
    """What a command starts.

    Attributes:
        starter: The program itself, `env` skipped; None if there is none.
        interpreter: Whether the starter runs what follows it: Python or a shell.
        kind: What of the following it needs: a file, a module (`-m`), or neither, as far as anybody can tell.
        needed: That file or module; None where it is missing, or the kind is neither.
    """

    starter: Word | None
    interpreter: Literal["python", "shell"] | None = None
    kind: Literal["file", "module", "neither"] = "neither"
    needed: Word | None = None


def expand(program: str | None, command: Sequence[str], environ: Mapping[str, str]) -> list[Word]:
    """Expand the macros as the agent (wandb 0.31) does.

    Args:
        program: The file's `program:`.
        command: The items.
        environ: Where `${envvar:NAME}` is looked up; a name that is not there stands for itself.
    """
    words: list[Word] = []
    for index, item in enumerate(command):
        text, key = ENVVAR.sub(lambda found: environ.get(found[1], found[1]), item), ("command", index)
        name = text[2:-1] if is_whole(text) else None
        if name is None:
            words.append(Word(text, key) if text else Word("''", key))
        elif name == "program":
            words.append(Word(program, ("program",)) if program else Word("${program}", key))
        elif name in {"env", "interpreter"}:
            words.append(Word({"env": "/usr/bin/env", "interpreter": "python"}[name], key))
        elif name in MACROS:
            words.append(Word("", key))
    return words


def read(words: Sequence[Word]) -> StartedCommand:
    """Find out what a command starts, and which file it needs for that."""
    rest = _after_env(list(words))
    if not rest:
        return StartedCommand(None)
    starter, rest = rest[0], rest[1:]
    name = PurePath(starter.text).name
    if PYTHON.fullmatch(name):
        return _of_interpreter(starter, rest, "python", takes_word="WX")
    if name in _SHELLS:
        return _of_interpreter(starter, rest, "shell", takes_word="oO")
    return StartedCommand(starter)


def _after_env(words: list[Word]) -> list[Word]:
    """Skip `env`, its options and the variables that it sets."""
    if not words or PurePath(words[0].text).name != "env":
        return words
    rest = words[1:]
    while rest and (rest[0].text.startswith("-") or re.match(r"[A-Za-z_]\w*=", rest[0].text)):
        rest = rest[2 if rest[0].text in {"-u", "-C", "--unset", "--chdir"} else 1 :]
    return rest


def _of_interpreter(
    starter: Word, rest: list[Word], interpreter: Literal["python", "shell"], *, takes_word: str
) -> StartedCommand:
    """Read the options of Python or a shell, up to the file, module or code."""
    while rest:
        word, rest = rest[0], rest[1:]
        if word.is_parameters or not word.text.startswith("-") or word.text == "-":
            return StartedCommand(starter, interpreter, "file", None if word.is_parameters else word)
        for place, letter in enumerate(word.text[1:], start=1):
            inline = word.text[place + 1 :]
            if letter == "c":
                return StartedCommand(starter, interpreter)
            if letter == "m" and interpreter == "python":
                module = Word(inline, word.key) if inline else next(iter(rest), None)
                return StartedCommand(
                    starter, interpreter, "module", None if module is None or not module.text else module
                )
            if letter in takes_word:
                rest = rest if inline else rest[1:]
                break
            if letter == "-":  # a long option
                break
    return StartedCommand(starter, interpreter, "file")
