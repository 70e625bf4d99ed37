"""The parameter space as coordinates: every distribution through its CDF, unordered values by their index.

An axis is listed (its distribution has at most `MAX_LISTED` values) or continuous, and ordered or unordered. Ordered
coordinates lie in [0, 1]; an unordered one is the index of a value, -1 where a run lacks the parameter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt

from sweeper.run import Params
from sweeper.space.distributions import Categorical, Distribution
from sweeper.space.values import json_key

Array = npt.NDArray[np.float64]

MAX_LISTED = 1000
"""A distribution with more values than this is modelled as continuous and rounded on the way out."""
EDGE = 1e-6
"""How far continuous coordinates stay from 0 and 1, where the quantile of an unbounded distribution is infinite."""


@dataclass(frozen=True)
class Axis:
    """One parameter with more than one value."""

    distribution: Distribution

    @cached_property
    def values(self) -> tuple[Any, ...] | None:
        """What it can be, if that is listed."""
        support = self.distribution.support
        return support if support is not None and len(support) <= MAX_LISTED else None

    @cached_property
    def ordered(self) -> bool:
        """Whether nearness of coordinates means something: not so for strings, booleans, lists."""
        return self.values is None or all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in self.values
        )

    @cached_property
    def positions(self) -> Array:
        """The coordinates of the listed values."""
        values = self.values or ()
        count = len(values)
        if not self.ordered:
            return np.arange(count, dtype=float)
        ranks = np.argsort(np.argsort(values)) / (count - 1)
        if isinstance(self.distribution, Categorical):  # [32, 16, 64] is ordered by size, and weights do not bend it
            return ranks
        places = np.array([self.distribution.cdf(value) for value in values])
        if len(np.unique(places)) < count:  # the far tails of a distribution round to the same CDF
            return ranks
        return np.asarray((places - places.min()) / (places.max() - places.min()))

    @property
    def absent(self) -> float:
        """The coordinate of a parameter that a run does not have."""
        return 0.5 if self.ordered else -1.0

    @cached_property
    def _places(self) -> Array:
        return np.sort(self.positions)

    @cached_property
    def _coordinates(self) -> dict[Any, float]:
        return {_key(value): float(place) for value, place in zip(self.values or (), self.positions, strict=True)}

    def encode(self, value: Any) -> float:
        """Give a value's coordinate; NaN for one the distribution cannot produce."""
        if self.values is not None and (known := self._coordinates.get(_key(value))) is not None:
            return known
        if not self.distribution.contains(value):
            return math.nan
        if self.values is None:
            return float(min(1 - EDGE, max(EDGE, self.distribution.cdf(value))))
        return float(self.positions[np.abs(np.array(self.values, dtype=float) - value).argmin()])  # q's rounding error

    def decode(self, coordinate: float) -> Any:
        """Give the value at a coordinate, or nearest to it."""
        if self.values is None:
            return self.distribution.ppf(float(coordinate))
        return self.values[int(np.abs(self.positions - coordinate).argmin())]

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw coordinates, every one as likely as the next."""
        if self.values is None:
            return np.clip(rng.random(count), EDGE, 1 - EDGE)
        return self.positions[rng.integers(len(self.positions), size=count)]

    def move(self, start: Array, steps: Array, rng: np.random.Generator) -> Array:
        """Step away from coordinates: on a listed axis to another value, on an unordered one to any."""
        # between strings there is no nearness, so a neighbour is any other
        if not self.ordered:
            return self.draw(rng, len(start))
        end = start + steps
        if self.values is None:
            # a step over an end goes the other way: clipped, the ends would collect the steps
            return np.clip(np.where((end < 0) | (end > 1), start - steps, end), EDGE, 1 - EDGE)
        here, there = (np.abs(self._places[:, None] - at).argmin(0) for at in (start, end))
        there = np.where(there == here, here + np.where(steps > 0, 1, -1), there)
        last = len(self._places) - 1
        there = np.where(there < 0, 1, np.where(there > last, last - 1, there))
        return self._places[there]


def _key(value: Any) -> Any:
    """Give a key that is equal for equal JSON values, without the price of writing JSON where it is not needed."""
    return (type(value) is bool, value) if isinstance(value, str | int | float) else json_key(value)


@dataclass(frozen=True)
class Axes:
    """The searched parameters by name, in the order of the definition.

    Attributes:
        by_name: An axis per parameter.
        conditions: Name -> {another's name: its values for which the parameter exists}; all must hold.
    """

    by_name: Mapping[str, Axis]
    conditions: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        distributions: Mapping[str, Distribution],
        conditions: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
    ) -> Axes:
        """Make the axes of distributions with more than one value."""
        return cls({name: Axis(distribution) for name, distribution in distributions.items()}, conditions or {})

    @cached_property
    def unordered(self) -> npt.NDArray[np.bool_]:
        """Which axes are unordered."""
        return np.array([not axis.ordered for axis in self.by_name.values()])

    @cached_property
    def margins(self) -> Array:
        """Half a value's share of each axis: the least of three values stands for the third around 1/6, not for 0."""
        return np.array([0.5 / len(axis.values) if axis.values else 0.0 for axis in self.by_name.values()])

    @cached_property
    def listed(self) -> bool:
        """Whether all axes are listed, so that a row can come up again."""
        return all(axis.values is not None for axis in self.by_name.values())

    def encode(self, points: Sequence[Params]) -> Array:
        """Give one row of coordinates per point; NaN where a value is none of the distribution's."""
        rows = np.empty((len(points), len(self.by_name)))
        for column, (name, axis) in enumerate(self.by_name.items()):
            rows[:, column] = [axis.encode(point[name]) if name in point else axis.absent for point in points]
        return rows

    def settle(self, rows: Array) -> Array:
        """Give parameters whose conditions do not hold the coordinate of an absent one, in place."""
        columns = {name: column for column, name in enumerate(self.by_name)}
        exists = np.ones(rows.shape, dtype=bool)
        # in order of dependence: a parameter does not exist if the one it depends on does not
        for name in TopologicalSorter(self.conditions).static_order():
            for other, values in self.conditions.get(name, {}).items():
                if name not in columns or other not in columns:
                    continue
                places = [self.by_name[other].encode(value) for value in values]
                holds = exists[:, columns[other]] & np.isin(rows[:, columns[other]], places)
                exists[:, columns[name]] &= holds
        absent = [axis.absent for axis in self.by_name.values()]
        rows[:] = np.where(exists, rows, absent)
        return rows

    def decode(self, row: Array) -> dict[str, Any]:
        """Give the parameters of one row."""
        return {name: axis.decode(x) for (name, axis), x in zip(self.by_name.items(), row, strict=True)}

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw rows, all axes independently."""
        return self.settle(np.column_stack([axis.draw(rng, count) for axis in self.by_name.values()]))

    def move(self, rows: Array, rng: np.random.Generator, scale: float) -> Array:
        """Step from each row to a neighbour, along a third of the axes: on ordered ones by about `scale`."""
        width = rows.shape[1]
        along = rng.random(rows.shape) < max(1.0, width / 3) / width
        along[np.arange(len(rows)), rng.integers(width, size=len(rows))] = True
        steps = scale * np.exp(rng.standard_normal(rows.shape)) * rng.standard_normal(rows.shape)
        moved = rows.copy()
        for column, axis in enumerate(self.by_name.values()):
            chosen = along[:, column]
            moved[chosen, column] = axis.move(rows[chosen, column], steps[chosen, column], rng)
        return self.settle(moved)
