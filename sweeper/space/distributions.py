"""Distributions of single parameters: mathematics only, no I/O and no state.

Each is seen through its CDF: `ppf` turns a uniform number into a value and `cdf` turns the value back, so random
search is `ppf(random())` and a model of any engine sees each parameter as one dimension in [0, 1].
They are those of W&B (`sweeps` 0.3.0), except that quantised values never leave [min, max].
Arguments that a float cannot carry (exponents of 1000, limits 1e308 apart) give its largest or smallest value, never
an overflow, an infinity or a NaN.
"""

from __future__ import annotations

import itertools
import math
import sys
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, Protocol, TypeVar

from sweeper.space.values import is_number, json_key

MAX_SUPPORT = 100_000
"""A distribution with more values than this counts as continuous: nobody enumerates it."""

LARGEST = sys.float_info.max
SMALLEST = math.ulp(0.0)
EDGE = 2.0**-53
"""The step of `random()`. Who has no value at 0 and 1, which it and an engine may give, stays that far away."""

N = TypeVar("N", int, float)


class Distribution(Protocol):
    """The distribution of one parameter."""

    @property
    def support(self) -> tuple[Any, ...] | None:
        """Every value it can take, in order; None if there are too many to list."""

    def ppf(self, u: float) -> Any:
        """Turn `u` in [0, 1] into a value: the inverse of the CDF."""

    def cdf(self, value: Any) -> float:
        """Turn a value back into [0, 1]: a point that `ppf` maps to it."""

    def contains(self, value: Any) -> bool:
        """Whether the distribution can produce the value."""


class RealDistribution(Distribution, Protocol):
    """A distribution of real numbers, which can be quantised."""

    @property
    def low(self) -> float:
        """Its lower limit, -inf if it has none."""

    @property
    def high(self) -> float:
        """Its upper limit, inf if it has none."""


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of some values of any JSON type; a constant is a categorical of one.

    Attributes:
        values: At least one.
        weights: As many probabilities, summing to 1; None for equal ones.
    """

    values: tuple[Any, ...]
    weights: tuple[float, ...] | None = None

    @property
    def support(self) -> tuple[Any, ...]:
        """The distinct values: one written twice is drawn more often, but is no second configuration."""
        # from the end, so that of equal values the first spelling is the one that stays: 32 of [32, 32.0]
        last_first = zip(reversed(self._keys()), reversed(self.values), strict=True)
        return tuple({key: value for key, value in last_first if key is not None}.values())[::-1]

    def _shares(self) -> tuple[float, ...]:
        return self.weights or (1 / len(self.values),) * len(self.values)

    def _keys(self) -> list[str | None]:
        """Give each value's key, None for one of probability 0: it is never drawn."""
        pairs = zip(self.values, self._shares(), strict=True)
        return [json_key(value) if share > 0 else None for value, share in pairs]

    def _edges(self) -> list[float]:
        return list(itertools.accumulate(self._shares()))

    def ppf(self, u: float) -> Any:
        """Give the value whose share of [0, 1] holds `u`."""
        edges = self._edges()
        # shares such as three of 0.333333 end below 1, so u is stretched; and u = 1 must not fall on a share of 0
        return self.values[min(bisect_right(edges, u * edges[-1]), bisect_left(edges, edges[-1]))]

    def cdf(self, value: Any) -> float:
        """Give the middle of the value's share."""
        index = self.index(value)
        edges = [0.0, *self._edges()]
        return (edges[index] + edges[index + 1]) / 2 / edges[-1]

    def index(self, value: Any) -> int:
        """Find the value; `True` is not `1` here, as in JSON.

        Raises:
            ValueError: It is not one of the values.
        """
        return self._keys().index(json_key(value))

    def contains(self, value: Any) -> bool:
        """Whether it is one of the values."""
        return json_key(value) in self._keys()


@dataclass(frozen=True, slots=True)
class IntUniform:
    """An integer from `low` to `high`, both included."""

    low: int
    high: int

    @property
    def support(self) -> tuple[int, ...] | None:
        """The integers, if they can be listed."""
        return tuple(range(self.low, self.high + 1)) if self.high - self.low < MAX_SUPPORT else None

    def ppf(self, u: float) -> int:
        """Give the integer whose share of [0, 1] holds `u`."""
        # u = 1, which an engine may give, would be one beyond
        return min(self.high, self.low + math.floor(u * (self.high - self.low + 1)))

    def cdf(self, value: Any) -> float:
        """Give the middle of the integer's share."""
        return (int(value) - self.low + 0.5) / (self.high - self.low + 1)

    def contains(self, value: Any) -> bool:
        """Whether it is an integer between the limits."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Uniform:
    """A real number from `low` to `high`."""

    low: float
    high: float
    support: None = field(default=None, init=False)

    def ppf(self, u: float) -> float:
        """Give `low + u (high - low)`."""
        half = self.low / 2 + u * (self.high / 2 - self.low / 2)  # of the whole, high - low may overflow
        return clip(half * 2, self.low, self.high)

    def cdf(self, value: Any) -> float:
        """Give how far between the limits it lies."""
        return _share(value / 2 - self.low / 2, self.high / 2 - self.low / 2)

    def contains(self, value: Any) -> bool:
        """Whether it is a number between the limits."""
        return is_number(value) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class LogUniform:
    """A real number whose logarithm is uniform; `low` and `high` are values above 0, not exponents."""

    low: float
    high: float
    support: None = field(default=None, init=False)

    def ppf(self, u: float) -> float:
        """Give `low (high / low)^u`."""
        low, high = math.log(self.low), math.log(self.high)
        return clip(_exp(low + u * (high - low)), self.low, self.high)

    def cdf(self, value: Any) -> float:
        """Give how far between the limits its logarithm lies."""
        low, high = math.log(self.low), math.log(self.high)
        # log and exp round, so the ends may come out a digit beyond
        return _share(math.log(value) - low, high - low)

    def contains(self, value: Any) -> bool:
        """Whether it is a number between the limits."""
        return is_number(value) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Normal:
    """A real number around `mu`; `sigma` 0 makes it the constant `mu`.

    What is drawn lies within 8.3 sigma, since `u` is kept away from 0 and 1, where the distribution is infinite.
    """

    mu: float = 0.0
    sigma: float = 1.0
    low: float = field(default=-math.inf, init=False, repr=False)
    high: float = field(default=math.inf, init=False, repr=False)

    @property
    def support(self) -> tuple[float] | None:
        """The one value of a constant."""
        return None if self.sigma else (self.mu,)

    def ppf(self, u: float) -> float:
        """Give the value that a share `u` of the draws lies below."""
        if not self.sigma:
            return self.mu
        return clip(self.mu + self.sigma * NormalDist().inv_cdf(clip(u, EDGE, 1 - EDGE)), -LARGEST, LARGEST)

    def cdf(self, value: Any) -> float:
        """Give the share of the draws below it."""
        if not self.sigma:
            return 0.5
        # erfc and not NormalDist.cdf, which is 1 + erf and so has no digits left in the lower tail
        return math.erfc((self.mu / 2 - value / 2) / (self.sigma / math.sqrt(2))) / 2

    def contains(self, value: Any) -> bool:
        """Whether it is a finite number (`mu` itself, of a constant)."""
        return is_number(value) and -LARGEST <= value <= LARGEST and (self.sigma > 0 or value == self.mu)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A real number above 0 whose logarithm is normal, with `mu` and `sigma`."""

    mu: float = 0.0
    sigma: float = 1.0
    low: float = field(default=0.0, init=False, repr=False)
    high: float = field(default=math.inf, init=False, repr=False)

    @property
    def _log(self) -> Normal:
        return Normal(self.mu, self.sigma)

    @property
    def support(self) -> tuple[float] | None:
        """The one value of a constant."""
        return None if self.sigma else (_exp(self.mu),)

    def ppf(self, u: float) -> float:
        """Give the value that a share `u` of the draws lies below."""
        return _exp(self._log.ppf(u))

    def cdf(self, value: Any) -> float:
        """Give the share of the draws below it."""
        return self._log.cdf(math.log(value)) if value > 0 else 0.0

    def contains(self, value: Any) -> bool:
        """Whether it is a finite number above 0 (`e^mu` itself, of a constant)."""
        return is_number(value) and 0 < value <= LARGEST and (self.sigma > 0 or value == _exp(self.mu))


@dataclass(frozen=True, slots=True)
class Beta:
    """A real number in [0, 1]: the share of successes known from `a` successes and `b` failures, both above 0."""

    a: float = 1.0
    b: float = 1.0
    low: float = field(default=0.0, init=False, repr=False)
    high: float = field(default=1.0, init=False, repr=False)
    support: None = field(default=None, init=False, repr=False)

    def ppf(self, u: float) -> float:
        """Give the value that a share `u` of the draws lies below."""
        from scipy.special import betaincinv  # 0.2 s to import

        # SciPy 1.17 has no answer for u below 1e-280, nor for some a and b above 1e15, where every draw is the mean
        value = float(betaincinv(float(self.a), float(self.b), clip(u, EDGE, 1 - EDGE)))
        return 1 / (1 + self.b / self.a) if math.isnan(value) else value

    def cdf(self, value: Any) -> float:
        """Give the share of the draws below it."""
        from scipy.special import betainc

        share = float(betainc(float(self.a), float(self.b), float(value)))
        return share if 0 <= share <= 1 else 0.5  # the same lack: NaN or inf

    def contains(self, value: Any) -> bool:
        """Whether it is a number in [0, 1]."""
        return is_number(value) and 0 <= value <= 1


def _exp(exponent: float) -> float:
    # math.exp raises above the floats and gives 0 below them, of which there is no logarithm
    if exponent > math.log(LARGEST):
        return LARGEST
    return max(SMALLEST, math.exp(exponent))


def _share(part: float, whole: float) -> float:
    """Give the part's share of the whole, in [0, 1]; its middle if the whole has no extent."""
    return clip(part / whole, 0.0, 1.0) if whole else 0.5


def clip(value: N, low: N, high: N) -> N:
    """Give the nearest value between the limits."""
    return max(min(value, high), low)  # of equals the first: 0.0 stays a float between integer limits
