"""How to run one configuration again: a sweep file with nothing to search, and a command that can be copied."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any

import yaml

from sweeper.plain_text import plain
from sweeper.run import Params

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition

KEPT = ("program", "command", "project", "metric")
"""Keys of a sweep file that say what runs and what it is judged by, and nothing of the search."""


def rerun_file(definition: SweepDefinition, params: Params, name: str) -> str:
    """Write the sweep file that runs one configuration, and only that."""
    told = definition.to_dict()
    data: dict[str, Any] = {"name": name, "method": "grid"} | {key: told[key] for key in KEPT if told.get(key)}
    data["parameters"] = {}
    for parameter, value in params.items():
        *groups, last = definition.space.paths.get(parameter, (parameter,))
        inside = data["parameters"]
        for group in groups:
            inside = inside.setdefault(group, {}).setdefault("parameters", {})
        inside[last] = {"value": value}
    return yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=100)


def rerun_command(file: str, text: str) -> str:
    """Write the command that makes the file, a sweep of it, and its one run; it can be pasted into a shell."""
    end = "END"
    while end in text.splitlines():  # or the file would end there, and what follows would be a command
        end += "_"
    here = quote(file)
    return f"cat <<'{end}' >{here}\n{text}{end}\nsweeper create {here} && sweeper launch --count 1"


def shortest(definition: SweepDefinition, params: Params, run_id: str) -> str:
    """Write what runs a run's parameters again: a script's command line, else commands that make a sweep of it."""
    if direct := direct_command(definition, params):
        return direct
    return rerun_command(f"again-{run_id}.yaml", rerun_file(definition, params, f"again {run_id}"))


def direct_command(definition: SweepDefinition, params: Params) -> str:
    """Write how a script is started with these parameters and without a sweep; empty where that is not plain to see."""
    program = definition.program or ""
    # a page does not show all that a text may hold, so what is copied from it would be another value
    shown = all(isinstance(value, str | int | float) and plain(str(value)) == str(value) for value in params.values())
    nested = any(len(definition.space.paths.get(name, (name,))) > 1 for name in params)
    if not program.endswith(".py") or definition.command or not shown or nested:
        return ""
    return " ".join(["python", quote(program), *_arguments(params)])


def _arguments(params: Mapping[str, Any]) -> list[str]:
    """Write parameters as W&B's agent does for `${args}`."""
    return [quote(f"--{name}={value}") for name, value in params.items()]
