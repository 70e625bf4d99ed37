"""A confirming sweep: the best configurations of another one, run again with other seeds.

It says so in its description, in words that every W&B server keeps: `confirms 5tq3zk1p with other values of seed`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError
from sweeper.run import Params
from sweeper.space.conditions import point_params

_DESCRIPTION = "confirms {sweep} with other values of {seed}"
_LINK = re.compile(r"confirms (?P<sweep>[\w-]+) with other values of (?P<seed>[A-Za-z_][\w.-]*)", re.ASCII)
_LEFT_OUT = ("early_terminate", "run_cap", "controller", "method", "name", "description", "project", "entity")
"""What belongs to the sweep that is confirmed: there is nothing to search any more, and each run goes to its end."""
_KEPT = ("conditions", "run_name")
"""Of what stands under `sweeper:`."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a confirming sweep says of itself.

    Attributes:
        sweep: The id of the sweep that it confirms.
        seed: The parameter of which it takes other values.
    """

    sweep: str
    seed: str

    @property
    def description(self) -> str:
        """The description of such a sweep."""
        return _DESCRIPTION.format(sweep=self.sweep, seed=self.seed)


def link(definition: SweepDefinition) -> Link | None:
    """Read which sweep a sweep confirms; None if it confirms none."""
    found = _LINK.fullmatch(definition.description or "")
    return Link(**found.groupdict()) if found else None


def searched_together(definition: SweepDefinition, about: Link, points: Sequence[Params]) -> SweepDefinition:
    """Make one sweep of exactly these runs, for a server that knows what stands under `sweeper:`.

    Args:
        definition: The sweep to confirm.
        about: What the new one will say of itself.
        points: The parameters of each run, with its seed.

    Raises:
        DefinitionError: The seed's name is none that a parameter could have beside the others.
    """
    data = _common(definition, about, len(points))
    seeds = list(dict.fromkeys(point[about.seed] for point in points))
    _put(data["parameters"], seed_path(definition, about.seed), {"values": seeds})
    beyond = {name: value for name, value in data.get("sweeper", {}).items() if name in _KEPT}
    beyond["conditions"] = {name: tests for name, tests in beyond.get("conditions", {}).items() if name != about.seed}
    beyond["initial"] = [dict(point) for point in points]
    data |= {"method": "random", "run_cap": len(points), "sweeper": {k: v for k, v in beyond.items() if v}}
    return _valid(data, about)


def searched_alone(definition: SweepDefinition, about: Link, params: Params, seeds: Sequence[int]) -> SweepDefinition:
    """Make a grid of one configuration with some seeds, which every W&B server runs just so.

    Args:
        definition: The sweep to confirm.
        about: What the new one will say of itself.
        params: The configuration, flat and without a seed.
        seeds: The seeds.

    Raises:
        DefinitionError: As above.
    """
    data = _common(definition, about, len(seeds))
    data.pop("sweeper", None)
    data["parameters"] = {}
    for name, value in params.items():
        _put(data["parameters"], definition.space.paths.get(name, (name,)), {"value": value})
    _put(data["parameters"], seed_path(definition, about.seed), {"values": list(seeds)})
    return _valid(data | {"method": "grid", "run_cap": len(seeds)}, about)


def planned(definition: SweepDefinition) -> list[Params]:
    """List the runs that a confirming sweep is to have, each with its seed."""
    if points := definition.sweeper.initial:
        return [point_params(point, definition.space) for point in points]
    return list(definition.space.grid()) if definition.method == "grid" else []


def seed_path(definition: SweepDefinition, name: str) -> tuple[str, ...]:
    """Say where in a run's config a seed stands: a name with dots that the file does not have is in a group."""
    return definition.space.paths.get(name) or tuple(name.split("."))


def _common(definition: SweepDefinition, about: Link, runs: int) -> dict[str, Any]:
    data = {name: value for name, value in definition.to_dict().items() if name not in _LEFT_OUT}
    if definition.metric:  # no target: the first run to reach it would end the sweep
        data["metric"] = {"name": definition.metric.name, "goal": definition.metric.goal}
    of = definition.name or about.sweep
    return data | {"name": f"confirm {of}", "description": about.description, "run_cap": runs}


def _valid(data: dict[str, Any], about: Link) -> SweepDefinition:
    try:
        return SweepDefinition.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        where = ".".join(map(str, found["loc"]))
        what = f"{about.seed!r} cannot be the seed of sweep {about.sweep}: {where}: {found['msg']}"
        raise DefinitionError(what, "name the parameter that the trainer reads its seed from") from error


def _put(parameters: dict[str, Any], path: Sequence[str], form: dict[str, Any]) -> None:
    """Write a parameter below its groups, which are made where there are none yet."""
    *outer, last = path
    for name in outer:
        group = parameters.setdefault(name, {"parameters": {}})
        parameters = group.setdefault("parameters", {})
    parameters[last] = form
