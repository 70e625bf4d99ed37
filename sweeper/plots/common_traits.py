"""What some runs have in common that others do not: of which values of a parameter they have more than chance gives.

Each value of a parameter, and each limit of a numeric one, is weighed by Fisher's exact test (R. A. Fisher, Statistical
Methods for Research Workers, 1934), and the many questions are paid for as Bonferroni does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sweeper.space.values import is_number, json_key

LEVEL = 0.05
"""How often something may be named that is not there."""
MOST_VALUES = 12
"""A parameter with more values than this is looked at by its limits, if they are numbers, and else not at all."""
FEW_VALUES = 2
"""A parameter with more values than this is also looked at by its limits, if they are numbers."""
LIMITS = 16
"""Places at which the values of a numeric parameter are cut, evenly among them."""
MOST_RUNS = 4000
"""Of more runs in the rest every so-manieth is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """What most of some runs have, and few of the others.

    Attributes:
        name: The parameter.
        relation: How it stands to the value.
        value: The value or limit.
        inside: How many of the runs have it.
        of_inside: How many runs there are.
        outside: How many of the others have it.
        of_outside: How many others there are.
        p: How often chance alone would do this, the number of questions paid for.
    """

    name: str
    relation: Literal["=", "<=", ">="]
    value: Any
    inside: int
    of_inside: int
    outside: int
    of_outside: int
    p: float


def common_traits(inside: Sequence[Mapping[str, Any]], outside: Sequence[Mapping[str, Any]]) -> list[Trait]:
    """Find what runs have in common, what tells most first; a parameter is named once.

    Args:
        inside: Their parameters.
        outside: Those of the others.
    """
    outside = outside[:: -(-len(outside) // MOST_RUNS) or 1]
    if not inside or not outside:
        return []
    asked = [trait for name in _names(inside) for trait in _traits(name, inside, outside)]
    found: dict[str, Trait] = {}
    for trait in sorted(asked, key=lambda one: one.p):
        if trait.p * len(asked) <= LEVEL:
            found.setdefault(trait.name, trait)
    return [_adjusted(trait, len(asked)) for trait in found.values()]


def _names(runs: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for params in runs for name in params))


def _adjusted(trait: Trait, asked: int) -> Trait:
    return Trait(
        name=trait.name,
        relation=trait.relation,
        value=trait.value,
        inside=trait.inside,
        of_inside=trait.of_inside,
        outside=trait.outside,
        of_outside=trait.of_outside,
        p=min(1.0, trait.p * asked),
    )


def _traits(name: str, inside: Sequence[Mapping[str, Any]], outside: Sequence[Mapping[str, Any]]) -> list[Trait]:
    here, there = ([params[name] for params in side if name in params] for side in (inside, outside))
    keys = {json_key(value): value for value in (*here, *there)}
    ordered = len(keys) > FEW_VALUES and all(map(is_number, keys.values()))
    limits = _limits(name, here, there, len(inside), len(outside)) if ordered else []
    if len(keys) > MOST_VALUES:
        return limits
    counts, others = Counter(map(json_key, here)), Counter(map(json_key, there))
    if len(keys) == 2 and len(here) + len(there) == len(inside) + len(outside):
        keys = dict([max(keys.items(), key=lambda item: counts[item[0]])])  # the other one says the same
    values = [
        _trait(name, "=", value, (counts[key], len(inside)), (others[key], len(outside)))
        for key, value in keys.items()
        if len(keys) > 1 or counts[key] != len(inside) or others[key] != len(outside)
    ]
    return values + limits


def _limits(name: str, here: Sequence[float], there: Sequence[float], n: int, others: int) -> list[Trait]:
    ordered = sorted(here)
    limits = sorted({ordered[round(i * (len(ordered) - 1) / LIMITS)] for i in range(LIMITS + 1)}) if ordered else []
    found = []
    for limit in limits:
        up = sum(value >= limit for value in here), sum(value >= limit for value in there)
        down = sum(value <= limit for value in here), sum(value <= limit for value in there)
        found.append(_trait(name, ">=", limit, (up[0], n), (up[1], others)))
        found.append(_trait(name, "<=", limit, (down[0], n), (down[1], others)))
    return found


def _trait(
    name: str, relation: Literal["=", "<=", ">="], value: Any, inside: tuple[int, int], outside: tuple[int, int]
) -> Trait:
    return Trait(
        name=name,
        relation=relation,
        value=value,
        inside=inside[0],
        of_inside=inside[1],
        outside=outside[0],
        of_outside=outside[1],
        p=chance(*inside, *outside),
    )


def chance(inside: int, of_inside: int, outside: int, of_outside: int) -> float:
    """Give how often so many inside, or more, would have something by chance alone (one-sided)."""
    having, everyone = inside + outside, of_inside + of_outside
    whole = _log_choose(everyone, of_inside)
    return min(
        1.0,
        sum(
            math.exp(_log_choose(having, k) + _log_choose(everyone - having, of_inside - k) - whole)
            for k in range(inside, min(having, of_inside) + 1)
            if of_inside - k <= everyone - having
        ),
    )


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
