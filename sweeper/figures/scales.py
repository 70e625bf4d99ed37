"""Where a value stands on an axis, and the round numbers beside it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sweeper.metric_value import float_or_nan
from sweeper.space.distributions import Distribution, LogNormal, LogUniform
from sweeper.space.quantized import Quantized
from sweeper.space.values import is_number, json_key

Tick = tuple[float, str]
"""A place on an axis, from 0 to 1, and what is written there."""

MOST_TICKS = 5
MOST_LISTED = 12
"""A list of more numbers than this is drawn as an axis of numbers."""
LARGEST = 1e300
"""What is larger is drawn here: differences stay finite."""
FAR = 8.0
"""Values that lie so many times the spread of most of them away would leave the rest a flat line."""


def as_number(value: object) -> float | None:
    """Read a finite number; None for anything else."""
    number = float_or_nan(value) if is_number(value) else None
    if number is None or math.isnan(number) or (isinstance(value, float) and math.isinf(number)):
        return None
    return max(-LARGEST, min(LARGEST, number))


@dataclass(frozen=True, slots=True)
class NumberScale:
    """Numbers from `low` to `high`, by themselves or by their logarithms; of whole ones, only those are written."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @classmethod
    def of(cls, values: Iterable[object], *, log: bool = False, margin: float = 0.0) -> Self:
        """Span some values, which need be no numbers; one value alone stands in the middle.

        Args:
            values: The values.
            log: Whether to go by logarithms, if all are above 0.
            margin: The share of the whole that is left free at both ends.
        """
        numbers = [number for value in values if (number := as_number(value)) is not None]
        low, high = min(numbers, default=0.0), max(numbers, default=1.0)
        log = log and low > 0
        if low == high:
            low, high = (low / 2, high * 2) if log else (low - (abs(low) / 10 or 0.5), high + (abs(high) / 10 or 0.5))
        if margin and log:
            factor = (high / low) ** margin if high / low < LARGEST else 1.0
            low, high = low / factor or low, min(high * factor, LARGEST)  # a logarithm of both is finite
        elif margin:
            low, high = low - margin * (high - low), high + margin * (high - low)
        return cls(low, high, log)

    def place(self, value: object) -> float | None:
        """Give a value's place: 0 at the low end, 1 at the high one; None for what has none."""
        number = as_number(value)
        if number is None or (self.log and number <= 0):
            return None
        if self.log:
            low = math.log(self.low)
            return (math.log(number) - low) / ((math.log(self.high) - low) or 1.0)
        return (number - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self) -> tuple[Tick, ...]:
        """Choose round numbers, five at most."""
        rounds = log_ticks(self.low, self.high) if self.log else round_ticks(self.low, self.high)
        rounds = [number for number in rounds if number.is_integer()] if self.whole else rounds
        digits = _digits(rounds)
        placed = ((self.place(number), number) for number in rounds)
        return tuple((place, tick_text(number, digits)) for place, number in placed if place is not None)


@dataclass(frozen=True, slots=True)
class ListScale:
    """Values that are listed: each has its place, in the middle of an equal share."""

    values: tuple[Any, ...]

    def place(self, value: object) -> float | None:
        """Give a value's place; None if it is none of them."""
        keys = {json_key(known): i for i, known in enumerate(self.values)}
        found = keys.get(json_key(value))
        return None if found is None else (found + 0.5) / len(self.values)

    def places(self, values: Sequence[object]) -> list[float | None]:
        """Give the places of many values."""
        keys = {json_key(known): (i + 0.5) / len(self.values) for i, known in enumerate(self.values)}
        return [keys.get(json_key(value)) for value in values]

    def ticks(self) -> tuple[Tick, ...]:
        """Name the values; of very many, some."""
        stride = -(-len(self.values) // MOST_LISTED)
        return tuple(
            ((i + 0.5) / len(self.values), value_text(value)) for i, value in enumerate(self.values) if i % stride == 0
        )


Scale = NumberScale | ListScale


@dataclass(frozen=True, slots=True)
class ParameterAxis:
    """What is known of a parameter before its values are seen.

    Attributes:
        name: The parameter.
        listed: Its values, in the order of the file; None if it is continuous.
        log: Whether it was searched by its logarithm.
    """

    name: str
    listed: tuple[Any, ...] | None = None
    log: bool = False

    @classmethod
    def of(cls, name: str, distribution: Distribution | None) -> Self:
        """Take what a parameter's distribution says; a long list of numbers is drawn as an axis of numbers."""
        support = distribution.support if distribution else None
        if support is not None and len(support) > MOST_LISTED and all(map(is_number, support)):
            support = None
        inner = distribution.distribution if isinstance(distribution, Quantized) else distribution
        return cls(name, support, log=isinstance(inner, LogUniform | LogNormal))

    def scale(self, values: Sequence[object]) -> Scale:
        """Choose a scale for the values that occurred."""
        distinct = {json_key(value): value for value in (*(self.listed or ()), *values)}
        numbers = all(is_number(value) for value in distinct.values())
        if numbers and (self.listed is None or len(distinct) > MOST_LISTED):
            return NumberScale.of(values, log=self.log)
        ordered = sorted(distinct.values()) if numbers else list(distinct.values())
        return ListScale(tuple(ordered) or (None,))


def places(scale: Scale, values: Sequence[object]) -> list[float | None]:
    """Give the places of many values, each within the axis."""
    found = scale.places(values) if isinstance(scale, ListScale) else [scale.place(value) for value in values]
    return [None if place is None else max(0.0, min(1.0, place)) for place in found]


def robust(values: Iterable[object], *, keep: Iterable[object] = (), margin: float = 0.05) -> NumberScale:
    """Span most of some values: those far from all others are left beyond, and many orders go by logarithms.

    Args:
        values: The values.
        keep: Values that are within, however far they lie: the best one is never left out.
        margin: The share of the whole that is left free at both ends.
    """
    numbers = sorted(number for value in values if (number := as_number(value)) is not None)
    if not numbers:
        return NumberScale.of(())
    last = len(numbers) - 1
    low, high = numbers[round(0.02 * last)], numbers[round(0.98 * last)]
    if low > 0 and high / low > 100 and numbers[0] > 0:
        return NumberScale.of((numbers[0], numbers[-1]), log=True, margin=margin)
    spread = FAR * (high - low)
    near = [number for number in (numbers[0], numbers[-1]) if low - spread <= number <= high + spread]
    return NumberScale.of((low, high, *near, *keep), margin=margin)


def round_ticks(low: float, high: float) -> list[float]:
    """Choose multiples of 1, 2, 2.5 or 5 times a power of ten, as many as go up to five."""
    raw = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 0.0
    if not power or not math.isfinite(power):
        return [float(low)]
    for step in (factor * power for factor in (1, 2, 2.5, 5, 10, 20)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < MOST_TICKS:
            return [number * step for number in range(first, last + 1)]
    return [float(low)]


def log_ticks(low: float, high: float) -> list[float]:
    """Choose powers of ten, or 1, 2 and 5 times them, or round numbers where the limits are close."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last > first:
        stride = -(-(last - first + 1) // MOST_TICKS)
        return [_power(exponent) for exponent in range(first, last + 1, stride)]
    steps = [factor * _power(exponent) for exponent in range(first - 1, last + 1) for factor in (1, 2, 5)]
    inside = [step for step in steps if low * 0.999 <= step <= high * 1.001]
    return inside if 2 <= len(inside) <= MOST_TICKS else round_ticks(low, high)


def _power(exponent: int) -> float:
    return float(f"1e{exponent}")  # 10.0 ** -5 is 1.0000000000000001e-05


def _digits(numbers: Sequence[float]) -> int:
    """Say how many digits tell these numbers apart."""
    steps = [abs(b - a) for a, b in itertools.pairwise(numbers) if b != a]
    largest = max(map(abs, numbers), default=0.0)
    if not steps or not largest:
        return 6
    return max(6, min(15, math.ceil(math.log10(largest / min(steps))) + 2))


def tick_text(number: float, digits: int = 6) -> str:
    """Write the number at a tick: 0.01, 1000, 1e-5, 2e6."""
    text = f"{number:.{digits}g}"
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if exponent else "0" if text == "-0" else text


def value_text(value: object) -> str:
    """Write the value of a parameter, short."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return json_key(value)
    return str(value)
