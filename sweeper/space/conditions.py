"""When a parameter is there: conditions by name or by group, and configurations that leave parameters open.

Pure, and about names alone: what is wrong with a file's conditions, `sweeper.definition` says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sweeper.space.parameter_space import ParameterSpace
from sweeper.space.values import json_key


def expand(conditions: Mapping[str, Mapping[str, Any]], space: ParameterSpace) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Give each parameter its conditions: a group's are those of all its members, a lone value is a list of one."""
    found: dict[str, dict[str, tuple[Any, ...]]] = {}
    for name, tests in conditions.items():
        for member in members(name, space):
            for other, wanted in tests.items():
                values = tuple(wanted) if isinstance(wanted, list) else (wanted,)
                earlier = found.setdefault(member, {}).get(other, values)
                known = {json_key(value) for value in earlier}
                found[member][other] = tuple(value for value in values if json_key(value) in known)
    return found


def members(name: str, space: ParameterSpace) -> list[str]:
    """List the parameters that a name stands for: itself, or all of a group."""
    return [known for known in space.distributions if known == name or known.startswith(f"{name}.")]


def groups(space: ParameterSpace) -> list[str]:
    """List the groups by dotted name."""
    return list(dict.fromkeys(".".join(path[:end]) for path in space.paths.values() for end in range(1, len(path))))


def cycle(conditions: Mapping[str, Collection[str]]) -> Sequence[str]:
    """Find parameters whose conditions lead from one to the next, and back to the first."""
    try:
        TopologicalSorter(conditions).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[:0:-1]  # the sorter names each before those that depend on it
    return ()


def point_params(point: Mapping[str, Any], space: ParameterSpace) -> dict[str, Any]:
    """Turn an initial configuration, nested as in a run's config or dotted, into flat parameters."""
    return {".".join(path): value for path, value in leaves(point, space)}


def leaves(
    point: Mapping[str, Any], space: ParameterSpace, outer: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk a configuration: the path of each value in it. A mapping below a name that is no group is itself a value."""
    for key, value in point.items():
        path = (*outer, key)
        if isinstance(value, Mapping) and ".".join(path) in groups(space):
            yield from leaves(value, space, path)
        else:
            yield path, value


def excluding(name: str, given: Mapping[str, Any], space: ParameterSpace) -> str | None:
    """Find a value given that makes the parameter inactive."""
    for other, wanted in space.conditions.get(name, {}).items():
        if other in given and json_key(given[other]) not in map(json_key, wanted):
            return other
    return None
