"""Whether samples of a metric differ by more than chance: means, their intervals, and tests between them.

Formulas: the interval of a mean is Student's (1908); two means are compared by Welch's test, which allows for unequal
variances (B. L. Welch, Biometrika 34, 1947, with Satterthwaite's degrees of freedom, Biometrics Bulletin 2, 1946);
several comparisons at once are paid for as S. Holm does (Scandinavian Journal of Statistics 6, 1979). With few seeds
Welch's test keeps its promises best (C. Colas et al., arXiv:1904.06979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

LEVEL = 0.05
"""How often a difference that is not there may be called one."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What a sample comes to.

    Attributes:
        n: How many values there are.
        mean: Their mean; None of none.
        sd: Their standard deviation, as an estimate (n - 1); None of fewer than two.
        low: Where the 95% interval of the mean begins; None of fewer than two.
        high: Where it ends.
    """

    n: int = 0
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None


def spread(values: Sequence[float]) -> Spread:
    """Sum a sample up.

    Args:
        values: Finite numbers.
    """
    n = len(values)
    if not n:
        return Spread()
    mean, sd = _moments(values)
    if sd is None:
        return Spread(n, mean)
    half = _quantile(n - 1) * sd / math.sqrt(n)
    return Spread(n, mean, sd, mean - half, mean + half)


def foreseen(found: Spread) -> tuple[float, float] | None:
    """Give the limits within which 95 of 100 further values lie; None where the sample has no spread to tell by."""
    if found.mean is None or found.sd is None:
        return None
    half = _quantile(found.n - 1) * found.sd * math.sqrt(1 + 1 / found.n)
    return found.mean - half, found.mean + half


def welch(one: Spread, other: Spread) -> float | None:
    """Give the probability of means that differ as much or more, were those of the populations equal.

    Returns:
        None if a sample has fewer than two values. Of samples without any spread 0 or 1: there is no chance in them.
    """
    if one.mean is None or other.mean is None or one.sd is None or other.sd is None:
        return None
    scale = max(abs(one.mean), abs(other.mean), one.sd, other.sd)
    if not scale or one.mean == other.mean:
        return 1.0
    # in parts of the largest: a square of 1e200 is no number
    of_one, of_other = ((found.sd or 0.0) / scale / math.sqrt(found.n) for found in (one, other))
    error = math.hypot(of_one, of_other)
    if not error:
        return 0.0
    shares = (of_one / error) ** 4 / (one.n - 1) + (of_other / error) ** 4 / (other.n - 1)
    from scipy.special import stdtr  # takes 0.1 s to import, and few sweeps need it

    return float(2 * stdtr(1 / shares, -abs(one.mean / scale - other.mean / scale) / error))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Raise the probabilities of several tests so that all of them together err no more often than one would."""
    adjusted, floor = [0.0] * len(probabilities), 0.0
    for place, index in enumerate(sorted(range(len(probabilities)), key=probabilities.__getitem__)):
        floor = max(floor, min(1.0, (len(probabilities) - place) * probabilities[index]))
        adjusted[index] = floor
    return adjusted


def _moments(values: Sequence[float]) -> tuple[float, float | None]:
    low, high = min(values), max(values)
    if low == high:  # exactly: a mean of equal numbers may differ from them in its last digit
        return low, 0.0 if len(values) > 1 else None
    scale = max(abs(low), abs(high))
    parts = [value / scale for value in values]  # the sum of two values may be more than a float holds
    mean = fmean(parts)
    variance = math.fsum((part - mean) ** 2 for part in parts) / (len(parts) - 1)
    return mean * scale, math.sqrt(variance) * scale


def _quantile(freedom: int) -> float:
    """Give Student's quantile for a two-sided interval."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - LEVEL / 2))
