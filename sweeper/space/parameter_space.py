"""The space that the parameters of a sweep span: mathematics only, no I/O and no state."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

from sweeper.run import Params
from sweeper.space.distributions import Distribution
from sweeper.space.values import json_key

MAX_DECIDED = 1_000_000
"""A space that conditions divide into more parts than this, times its parameters, counts as continuous."""


@dataclass(frozen=True)  # no slots: what is cached lives in the instance's dict
class ParameterSpace:
    """All parameters of a sweep by dotted name.

    Attributes:
        distributions: Dotted name -> distribution, in the order of the file.
        paths: Dotted name -> path of keys in the run's config. A name may hold dots of its own, so the dotted name
            alone does not tell the nesting.
        conditions: Dotted name -> {another's dotted name: its values for which the parameter is active}. All of them
            must hold, and a parameter that is not active has no value. Names without conditions are always active.

    Raises:
        ValueError: The conditions go round in a circle, or name a parameter that is none.
    """

    distributions: Mapping[str, Distribution]
    paths: Mapping[str, tuple[str, ...]]
    conditions: Mapping[str, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = [name for name in self._order if name not in self.distributions]
        if unknown:
            raise ValueError(f"a condition names {unknown[0]}, which is no parameter")

    @cached_property
    def _order(self) -> tuple[str, ...]:
        """Names that have conditions or stand in one, each after those it depends on."""
        return tuple(TopologicalSorter(self.conditions).static_order())

    @cached_property
    def _wanted(self) -> dict[str, dict[str, frozenset[str]]]:
        """The conditions with the keys of their values, each after those it depends on."""
        return {
            name: {other: frozenset(map(json_key, values)) for other, values in self.conditions[name].items()}
            for name in self._order
            if name in self.conditions
        }

    @cached_property
    def _lengths(self) -> dict[str, int | None]:
        # only the lengths are kept: a support may be 100,000 values
        supports = ((name, distribution.support) for name, distribution in self.distributions.items())
        return {name: None if support is None else len(support) for name, support in supports}

    @property
    def searched(self) -> dict[str, Distribution]:
        """The parameters with more than one value."""
        return {name: distribution for name, distribution in self.distributions.items() if self._lengths[name] != 1}

    def _holds(self, name: str, beside: Params) -> bool:
        """Whether a parameter is active beside others, which lack none that it depends on but the inactive ones."""
        wanted = self._wanted.get(name, {})
        return all(other in beside and json_key(beside[other]) in keys for other, keys in wanted.items())

    def active(self, params: Params) -> dict[str, Any]:
        """Drop the parameters whose conditions do not hold."""
        kept = dict(params)
        for name in self._wanted:
            if not self._holds(name, kept):
                kept.pop(name, None)
        return kept

    def contains(self, params: Params) -> bool:
        """Whether the space can produce these parameters: all the active ones and no other."""
        return (
            params.keys() <= self.distributions.keys()
            and all((name in params) == self._holds(name, params) for name in self.distributions)
            and all(self.distributions[name].contains(value) for name, value in params.items())
        )

    def sample(self, rng: random.Random) -> dict[str, Any]:
        """Draw every parameter independently, and drop the inactive ones."""
        # inactive ones are drawn too: else a condition would shift the draws of all parameters after it
        return self.active({name: distribution.ppf(rng.random()) for name, distribution in self.distributions.items()})

    @cached_property
    def size(self) -> int | None:
        """The number of distinct configurations; None if there are too many to list."""
        return None if self._parts is None else sum(map(_volume, self._parts))

    def grid(self) -> Iterator[dict[str, Any]]:
        """Walk all configurations, names sorted, the last one fastest: W&B's order.

        An inactive parameter sorts where its first value would.

        Raises:
            ValueError: A parameter is continuous.
        """
        parts, supports = self._listed()
        if not self.conditions:
            for values in itertools.product(*supports.values()):
                yield dict(zip(supports, values, strict=True))
            return
        pools = {places: tuple(places) for part in parts for places in part}  # product() would copy ranges, each time
        walks = (itertools.product(*(pools[places] for places in part)) for part in parts)
        # each walk is sorted, but they interleave; merged, nothing is listed as a whole
        for point in heapq.merge(*walks):
            yield self._configuration(point, supports)

    def shuffled_grid(self, rng: random.Random) -> Iterator[dict[str, Any]]:
        """Walk all configurations in random order; memory grows with what has been walked, not with the grid.

        Raises:
            ValueError: A parameter is continuous.
        """
        parts, supports = self._listed()
        ends = list(itertools.accumulate(map(_volume, parts)))
        for index in _shuffled(ends[-1], rng):
            yield self._configuration(_point(parts[bisect_right(ends, index)], index), supports)

    def _listed(self) -> tuple[Sequence[_Part], dict[str, tuple[Any, ...]]]:
        """Give the parts, and what each parameter can be, names sorted."""
        if self._parts is None:
            raise ValueError("a continuous parameter has no grid")
        supports = {name: self.distributions[name].support for name in sorted(self.distributions)}
        never_active = (None,)
        return self._parts, {name: never_active if values is None else values for name, values in supports.items()}

    def _configuration(self, point: Iterable[int], supports: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
        places = zip(supports.items(), point, strict=True)
        return self.active({name: values[place] for (name, values), place in places})

    @cached_property
    def _parts(self) -> tuple[_Part, ...] | None:
        """Divide the configurations by the values that conditions ask about; None if there are too many to list.

        Inside a part nothing depends on anything: it is the product of the places each parameter can take in its
        support, names sorted; an inactive one stands at the first.
        """
        parts, names = [], sorted(self.distributions)
        for decided in self._decisions() or ():
            part = [places for name in names if (places := self._places(name, decided)) is not None]
            if len(part) < len(names):
                return None
            parts.append(tuple(part))
        return tuple(parts) or None

    def _places(self, name: str, decided: Params) -> range | None:
        if name in decided:
            place = self._asked[name][json_key(decided[name])]
            return range(place, place + 1)
        length = self._lengths[name] if self._holds(name, decided) else 1
        return None if length is None else range(length)

    def _decisions(self) -> list[dict[str, Any]] | None:
        """List what the parameters that conditions ask about can be together; None if that is too much."""
        decisions: list[dict[str, Any]] = [{}]
        for name in self._asked:
            active = [decided for decided in decisions if self._holds(name, decided)]
            inactive = [decided for decided in decisions if not self._holds(name, decided)]
            support = self.distributions[name].support if active else ()
            if support is None or (len(inactive) + len(active) * len(support)) * len(self.distributions) > MAX_DECIDED:
                return None
            decisions = [*inactive, *({**decided, name: value} for decided in active for value in support)]
        return decisions

    @cached_property
    def _asked(self) -> dict[str, dict[str, int]]:
        """The parameters that conditions ask about, each after those it depends on: their values' keys and places."""
        asked = {other for condition in self.conditions.values() for other in condition}
        supports = {name: self.distributions[name].support or () for name in self._order if name in asked}
        return {name: {json_key(v): i for i, v in enumerate(values)} for name, values in supports.items()}

    def nest(self, params: Params) -> dict[str, Any]:
        """Turn flat parameters into the config a run gets: `{"a.b": 1}` -> `{"a": {"b": 1}}`."""
        config: dict[str, Any] = {}
        for name, value in params.items():
            *outer, last = self.paths.get(name, (name,))
            node = config
            for key in outer:
                node = node.setdefault(key, {})
            node[last] = value
        return config

    def flatten(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Pick the sweep's active parameters out of a run's config; what the config lacks is left out."""
        found = ((name, _dig(config, path)) for name, path in self.paths.items())
        return self.active({name: value for name, value in found if value is not _MISSING})


_Part = tuple[range, ...]
_MISSING = object()


def _dig(config: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(config, Mapping) or key not in config:
            return _MISSING
        config = config[key]
    return config


def _volume(part: _Part) -> int:
    return math.prod(map(len, part))


def _point(part: _Part, index: int) -> list[int]:
    """Give the point that has a number, read as places; a part's points repeat after its volume."""
    point = []
    for places in reversed(part):
        index, digit = divmod(index, len(places))
        point.append(places[digit])
    return point[::-1]


def _shuffled(size: int, rng: random.Random) -> Iterator[int]:
    """Give the numbers below `size` in random order: Fisher and Yates' shuffle that keeps only what has moved."""
    moved: dict[int, int] = {}
    for left in range(size, 0, -1):
        drawn = rng.randrange(left)
        yield moved.get(drawn, drawn)
        moved[drawn] = moved.pop(left - 1, left - 1)


def params_key(params: Params) -> str:
    """Give a text that is equal for equal configurations."""
    return "\n".join(f"{name}={json_key(value)}" for name, value in sorted(params.items()))
