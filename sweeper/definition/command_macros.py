"""The macros of `command:`, which the W&B agent (0.31) expands when it starts a program."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from sweeper.definition.strict_model import rule
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

_MACRO = re.compile(r"\$\{([^}]*)\}")
_ENVVAR = re.compile(r"envvar:[A-Z0-9_]*")


def macro_faults(command: Sequence[Any], parameters: Collection[str]) -> Iterator[PydanticCustomError]:
    """Find what the agent would drop or pass on as it stands.

    Args:
        command: The items of `command:`.
        parameters: The names of the sweep's parameters, for advice.
    """
    for index, item in enumerate(command):
        for found in _MACRO.finditer(str(item)):
            name, whole = found[1], found[0] == item
            # the agent replaces variables anywhere in an item, the others only where they are all of it
            if _ENVVAR.fullmatch(name) or (whole and name in MACROS):
                continue
            yield rule(*_explain(found[0], name, parameters), "command", index)


def _explain(macro: str, name: str, parameters: Collection[str]) -> tuple[str, str]:
    if name in MACROS:
        return f"{macro} inside an item is not replaced", f"give {macro} an item of its own"
    if name in parameters:
        return f"{macro}: a parameter has no macro of its own", "write ${args}: it passes all, as --name=value"
    if name.lower().startswith("envvar:"):
        return f"{macro}: the name of a variable has only capitals, digits and _", "rename the variable"
    fix = did_you_mean(name, MACROS)
    return f"unknown macro {macro}", fix if "did you mean" in fix else f"{fix} or envvar:NAME"
