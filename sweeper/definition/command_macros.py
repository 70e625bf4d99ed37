"""The macros of `command:`, which the W&B agent (0.31) expands when it starts a program.

It replaces variables of the environment anywhere in an item, and everything else only where an item begins with `${`
and ends with `}`: such an item that it does not know is dropped without a word. What stands inside a longer item is
passed on as it is written, which is what Hydra's `${now:%H}` and a shell's `${HOME}` need.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from sweeper.definition.strict_model import rule
from sweeper.definition.value_text import short
from sweeper.definition.yaml_document import did_you_mean

MACROS = (
    "env",
    "interpreter",
    "program",
    "args",
    "args_no_hyphens",
    "args_no_equals",
    "args_no_boolean_flags",
    "args_json",
    "args_json_file",
    "args_append_hydra",
    "args_override_hydra",
)
"""What the agent replaces by one or more arguments, when it is a whole item of the list."""
DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
"""What the agent starts where the file has no `command:`, or an empty one."""
A_COMMAND = 'begin with one: ["${env}", "${interpreter}", "${program}", "${args}"]'
"""What to do about a command that starts no program."""

MACRO = re.compile(r"\$\{([^}]*)\}")
ENVVAR = re.compile(r"\$\{envvar:([A-Z0-9_]*)\}")


def is_whole(item: str) -> bool:
    """Whether the agent takes an item for a macro: one that it replaces, or drops if it does not know it."""
    return item.startswith("${") and item.endswith("}")


def macro_faults(command: Sequence[Any], parameters: Collection[str]) -> Iterator[PydanticCustomError]:
    """Find what the agent would drop, pass on although a macro was meant, or start although it is no program.

    Args:
        command: The items of `command:`.
        parameters: The names of the sweep's parameters, for advice.
    """
    for index, item in enumerate(command):
        text = ENVVAR.sub("x", str(item))  # these go first, anywhere
        if is_whole(text):
            if text[2:-1] not in MACROS:
                yield rule(*_dropped(text, parameters), "command", index)
        else:
            for found in MACRO.finditer(text):
                if meant := _meant(found[0], found[1], text, parameters):
                    yield rule(*meant, "command", index)
    yield from _starter_faults([str(item) for item in command])


def _starter_faults(items: Sequence[str]) -> Iterator[PydanticCustomError]:
    """Find a command that starts with parameters instead of a program."""
    words = [(index, item) for index, item in enumerate(items) if item != "${env}"]
    if not words:
        if items:
            yield rule("starts no program: it is ${env} alone", A_COMMAND, "command", 0)
        return
    index, first = words[0]
    if is_whole(first) and first.startswith("${args"):
        yield rule(f"{first} cannot start a program: it is the run's parameters", A_COMMAND, "command", index)
    elif [item for _, item in words] == ["${interpreter}"]:
        yield rule("starts Python without a program", A_COMMAND, "command", index)


def _dropped(item: str, parameters: Collection[str]) -> tuple[str, str]:
    """Say why the agent drops an item, and what to write."""
    name = item[2:-1]
    if name in parameters:
        return f"{item}: a parameter has no macro of its own", "write ${args}: it passes all, as --name=value"
    if name.lower().startswith("envvar:"):
        return _capitals(item)
    if "${" in name:
        fix = "begin or end it with other text, or give each macro an item of its own"
        return f"{short(item)} is dropped: the agent takes it for one macro", fix
    fix = did_you_mean(name, MACROS)
    return f"unknown macro {item}", fix if "did you mean" in fix else f"{fix} or envvar:NAME"


def _meant(macro: str, name: str, item: str, parameters: Collection[str]) -> tuple[str, str] | None:
    """Say what is wrong with a macro inside of a longer item; None if it may be meant for the program."""
    if name in MACROS:
        return f"{macro} inside an item is not replaced", f"give {macro} an item of its own"
    if name.lower().startswith("envvar:"):
        return _capitals(macro)
    # `--lr=${lr}` reaches the script as it stands; without hyphens it may be a reference of Hydra's
    if name in parameters and item.startswith("-"):
        return f"{macro}: a parameter has no macro of its own", "write ${args}: it passes all, as --name=value"
    return None


def _capitals(macro: str) -> tuple[str, str]:
    return f"{macro}: the name of a variable has only capitals, digits and _", "rename the variable"
