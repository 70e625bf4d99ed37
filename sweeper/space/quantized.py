"""Distributions rounded to multiples of a step: exactly, where floats alone would give other multiples."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sweeper.space.distributions import LARGEST, MAX_SUPPORT, RealDistribution, clip
from sweeper.space.values import is_number

LARGEST_INT = 2**63 - 1
"""What databases and W&B's servers keep."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """Another distribution rounded to multiples of `q` (the nearest, ties to the even one) that lie inside its limits.

    An integer `q` gives integers, as in W&B. W&B's own can leave [min, max] (min 1, max 256, q 8 gives 0): a defect
    we do not copy. A quantised log-normal does give 0, as there: its file states no limit, and moving these draws to
    `q` would be another distribution.

    Attributes:
        distribution: The distribution that is rounded.
        q: The step, above 0.
        steps: The multiples `k` for which `k q` lies inside the limits; empty if none does.
    """

    distribution: RealDistribution
    q: float
    steps: range = field(init=False, repr=False, compare=False)
    _unit: tuple[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # a ratio of whole numbers: as floats, 0.3 / 0.1 is 2.9999999999999996
        object.__setattr__(self, "_unit", _written(self.q).as_integer_ratio())
        object.__setattr__(self, "steps", self._multiples())

    def _multiples(self) -> range:
        q, largest = _written(self.q), LARGEST_INT if isinstance(self.q, int) else LARGEST
        first = math.ceil(_written(max(self.distribution.low, -largest)) / q)
        last = math.floor(_written(min(self.distribution.high, largest)) / q)
        if self.distribution.support is None:
            return range(first, last + 1)
        # without spread there is one value, and so one multiple; the limits hold for it too
        k = clip(self._nearest(self.distribution.support[0]), first, last)
        return range(k, k + 1)

    def _nearest(self, value: float) -> int:
        top, bottom = self._unit
        over, under = value.as_integer_ratio()  # whole numbers, since value / q may overflow
        k, rest = divmod(2 * over * bottom, 2 * under * top)
        return k + (rest > under * top or (rest == under * top and k % 2))

    def _value(self, k: int) -> float:
        top, bottom = self._unit
        return k * self.q if isinstance(self.q, int) else k * top / bottom  # integers divide to the nearest float

    def _inside(self, value: float) -> int:
        return clip(self._nearest(value), self.steps[0], self.steps[-1])

    @property
    def support(self) -> tuple[float, ...] | None:
        """The multiples, if they can be listed."""
        if not self.steps:
            return ()
        first, last = self.steps[0], self.steps[-1]
        listed = last - first < MAX_SUPPORT and (math.isfinite(self.distribution.high) or first == last)
        return tuple(dict.fromkeys(map(self._value, self.steps))) if listed else None  # far from 0, floats repeat

    def ppf(self, u: float) -> float:
        """Round the inner distribution's value to the nearest multiple inside the limits."""
        return self._value(self._inside(self.distribution.ppf(u)))

    def cdf(self, value: Any) -> float:
        """Give the middle of the multiple's share, which reaches half a step to both sides."""
        top, bottom = self._unit
        k = self._inside(value)
        below = 0.0 if k == self.steps[0] else self.distribution.cdf((2 * k - 1) * top / (2 * bottom))
        above = 1.0 if k == self.steps[-1] else self.distribution.cdf((2 * k + 1) * top / (2 * bottom))
        return (below + above) / 2

    def contains(self, value: Any) -> bool:
        """Whether it is one of the multiples."""
        if not is_number(value) or not -LARGEST <= value <= LARGEST or not self.steps:
            return False
        return math.isclose(self._value(self._inside(value)), value, rel_tol=1e-9)


def _written(number: float) -> Fraction:
    """Give the number as the file writes it, exactly: 0.3 is three times 0.1, where the floats' ratio is 2.99..."""
    return Fraction(number) if isinstance(number, int) else Fraction(str(number))
