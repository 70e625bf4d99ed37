"""What a run is called where many stand below each other: by the parameters in which they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweeper.readable import parameters

_MISSING = object()


def varying(runs: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Name the parameters that have not the same value in all runs, in the order in which they first appear.

    One run alone differs from no other: then it is all of them.
    """
    every = list(runs)
    names = dict.fromkeys(name for params in every for name in params)
    if len(every) < 2:
        return tuple(names)
    differing = tuple(name for name in names if any(_differ(name, every[0], other) for other in every[1:]))
    return differing or tuple(names)


def _differ(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, second = one.get(name, _MISSING), other.get(name, _MISSING)
    return first is not second and (type(first) is not type(second) or first != second)


def label(params: Mapping[str, Any], names: Sequence[str]) -> str:
    """Call a run by some of its parameters: `lr=0.01 batch_size=32`."""
    return parameters({name: params[name] for name in names if name in params})
