"""What a run is called where many stand below each other: by the parameters in which they differ."""

from __future__ import annotations

from collections import Counter
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


def brief(names: Iterable[str]) -> dict[str, str]:
    """Shorten names of several words to their initials where that is told from all others: `learning_rate` to `lr`."""
    last = {name: name.rpartition(".")[2] for name in names}
    words = {name: [word for word in text.split("_") if word] for name, text in last.items()}
    short = {name: "".join(word[0] for word in found) for name, found in words.items() if len(found) > 1}
    taken = Counter([*short.values(), *last.values()])
    return {name: short[name] if name in short and taken[short[name]] == 1 else name for name in last}
