"""Laws of parameters and the space they span: mathematics only, no I/O and no state.

Every law is seen through its CDF: `ppf` turns a uniform number into a value and `cdf` turns the value back, so random
search is `ppf(random())` and a model of any engine sees each parameter as one dimension in [0, 1].
The laws are those of W&B (`sweeps` 0.3.0), except that quantised values never leave [min, max].
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sweeper.run import Params

MAX_SUPPORT = 100_000
"""A law with more values than this counts as continuous: nobody enumerates it."""


class Distribution(Protocol):
    """The law of one parameter."""

    @property
    def support(self) -> tuple[Any, ...] | None:
        """Every value it can take, in order; None if there are too many to list."""

    def ppf(self, u: float) -> Any:
        """Turn `u` in [0, 1) into a value: the inverse of the CDF."""

    def cdf(self, value: Any) -> float:
        """Turn a value back into [0, 1]: a point that `ppf` maps to it."""

    def contains(self, value: Any) -> bool:
        """Whether the law can produce the value."""


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
        return tuple({json_key(value): value for value in reversed(self.values)}.values())[::-1]

    def _edges(self) -> list[float]:
        weights = self.weights or (1 / len(self.values),) * len(self.values)
        return list(itertools.accumulate(weights))

    def ppf(self, u: float) -> Any:
        """Give the value whose share of [0, 1) holds `u`."""
        index = next((i for i, edge in enumerate(self._edges()) if u < edge), len(self.values) - 1)
        return self.values[index]

    def cdf(self, value: Any) -> float:
        """Give the middle of the value's share."""
        index = self.index(value)
        edges = [0.0, *self._edges()]
        return (edges[index] + edges[index + 1]) / 2

    def index(self, value: Any) -> int:
        """Find the value; `True` is not `1` here, as in JSON.

        Raises:
            ValueError: It is not one of the values.
        """
        return [json_key(v) for v in self.values].index(json_key(value))

    def contains(self, value: Any) -> bool:
        """Whether it is one of the values."""
        return json_key(value) in {json_key(v) for v in self.values}


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
        """Give the integer whose share of [0, 1) holds `u`."""
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
        return min(self.high, self.low + u * (self.high - self.low))

    def cdf(self, value: Any) -> float:
        """Give how far between the limits it lies."""
        return (float(value) - self.low) / (self.high - self.low)

    def contains(self, value: Any) -> bool:
        """Whether it is a number between the limits."""
        return _is_number(value) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class LogUniform:
    """A real number whose logarithm is uniform; `low` and `high` are values, not exponents."""

    low: float
    high: float
    support: None = field(default=None, init=False)

    def ppf(self, u: float) -> float:
        """Give `low (high / low)^u`."""
        return min(self.high, max(self.low, self.low * math.pow(self.high / self.low, u)))

    def cdf(self, value: Any) -> float:
        """Give how far between the limits its logarithm lies."""
        return math.log(float(value) / self.low) / math.log(self.high / self.low)

    def contains(self, value: Any) -> bool:
        """Whether it is a number between the limits."""
        return _is_number(value) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Quantized:
    """Another law rounded to multiples of `q` that lie inside its limits.

    An integer `q` gives integers, as in W&B. W&B's own law can leave [min, max] (min 1, max 256, q 8 gives 0): a defect
    we do not copy.
    """

    law: Uniform | LogUniform
    q: float

    @property
    def steps(self) -> range:
        """The multiples `k` for which `k q` lies inside the limits; empty if none does."""
        slack = 1e-9  # 0.3 / 0.1 is 2.9999999999999996
        return range(math.ceil(self.law.low / self.q - slack), math.floor(self.law.high / self.q + slack) + 1)

    def _value(self, k: int) -> float:
        return k * self.q if isinstance(self.q, int) else float(f"{k * self.q:.12g}")

    @property
    def support(self) -> tuple[float, ...] | None:
        """The multiples, if they can be listed."""
        return tuple(self._value(k) for k in self.steps) if len(self.steps) <= MAX_SUPPORT else None

    def ppf(self, u: float) -> float:
        """Round the inner law's value to the nearest multiple inside the limits."""
        k = round(self.law.ppf(u) / self.q)
        return self._value(min(max(k, self.steps[0]), self.steps[-1]))

    def cdf(self, value: Any) -> float:
        """Give the inner law's CDF at the value."""
        return min(1.0, max(0.0, self.law.cdf(value)))

    def contains(self, value: Any) -> bool:
        """Whether it is one of the multiples."""
        if not _is_number(value):
            return False
        k = round(value / self.q)
        return k in self.steps and math.isclose(k * self.q, value, rel_tol=1e-9, abs_tol=1e-12)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def json_key(value: Any) -> str:
    """Give a text that is equal for equal JSON values: tells `1` from `True`, but not `1` from `1.0`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)


@dataclass(frozen=True, slots=True)
class ParameterSpace:
    """All parameters of a sweep by dotted name.

    Attributes:
        laws: Dotted name -> law, in the order of the file.
        paths: Dotted name -> path of keys in the run's config. A name may hold dots of its own, so the dotted name
            alone does not tell the nesting.
    """

    laws: Mapping[str, Distribution]
    paths: Mapping[str, tuple[str, ...]]

    @property
    def size(self) -> int | None:
        """The number of distinct configurations; None if there are too many to list."""
        supports = [law.support for law in self.laws.values()]
        listed = [len(support) for support in supports if support is not None]
        return math.prod(listed) if len(listed) == len(supports) else None

    @property
    def searched(self) -> dict[str, Distribution]:
        """The parameters with more than one value."""
        return {name: law for name, law in self.laws.items() if law.support is None or len(law.support) > 1}

    def sample(self, rng: random.Random) -> dict[str, Any]:
        """Draw every parameter independently."""
        return {name: law.ppf(rng.random()) for name, law in self.laws.items()}

    def grid(self) -> Iterator[dict[str, Any]]:
        """Walk all configurations, names sorted, the last one fastest: W&B's order.

        Raises:
            ValueError: A parameter is continuous.
        """
        names = sorted(self.laws)
        supports = [self.laws[name].support for name in names]
        if any(support is None for support in supports):
            raise ValueError("a continuous parameter has no grid")
        for values in itertools.product(*(support for support in supports if support is not None)):
            yield dict(zip(names, values, strict=True))

    def contains(self, params: Params) -> bool:
        """Whether the space can produce these parameters."""
        return params.keys() == self.laws.keys() and all(law.contains(params[name]) for name, law in self.laws.items())

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
        """Pick the sweep's parameters out of a run's config; what the config lacks is left out."""
        found = ((name, _dig(config, path)) for name, path in self.paths.items())
        return {name: value for name, value in found if value is not _MISSING}


_MISSING = object()


def _dig(config: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(config, Mapping) or key not in config:
            return _MISSING
        config = config[key]
    return config


def params_key(params: Params) -> str:
    """Give a text that is equal for equal configurations."""
    return "\n".join(f"{name}={json_key(value)}" for name, value in sorted(params.items()))
