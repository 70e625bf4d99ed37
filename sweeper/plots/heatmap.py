"""Histograms over steps as a picture: a column for each moment, a row for each range of values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweeper.plots.chunks import Floats

ROWS = 48
"""Ranges of values: the SDK has 64 in each histogram, and a picture of a layer is no higher than 150 pixels."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """One histogram.

    Attributes:
        edges: Where its ranges begin and end, ascending; one more than there are counts.
        counts: How many values each has.
    """

    edges: Floats
    counts: Floats


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A picture.

    Attributes:
        steps: Where its columns lie.
        low: Where its lowest row begins.
        high: Where its highest row ends.
        shares: For each column and row from the lowest, the share of the column's values, as a number up to 255.
    """

    steps: list[float]
    low: float
    high: float
    shares: bytes


def read(value: Any) -> Histogram | None:
    """Read a histogram as `wandb.Histogram` logs it; None for what is none."""
    if not isinstance(value, Mapping) or not isinstance(value.get("values"), list):
        return None
    counts = _numbers(value["values"])
    packed = value.get("packedBins")
    if isinstance(packed, Mapping):
        numbers = _numbers([packed.get("min"), packed.get("size"), packed.get("count")])
        edges = numbers[0] + numbers[1] * np.arange(counts.size + 1) if numbers.size else numbers
    else:
        edges = _numbers(value.get("bins"))
    if not counts.size or edges.size != counts.size + 1 or counts.min() < 0 or np.any(edges[1:] < edges[:-1]):
        return None
    return Histogram(edges, counts)


def _numbers(values: Any) -> Floats:
    """Read a list of finite numbers; nothing of what is none. A layer has thousands of them: one by one took long."""
    try:
        numbers = np.array(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return np.empty(0)
    return numbers if numbers.ndim == 1 and np.isfinite(numbers).all() else np.empty(0)


def heatmap(found: Sequence[tuple[float, Histogram]]) -> Heatmap | None:
    """Lay histograms side by side over one range of values; None without any.

    Args:
        found: Each with its step, ascending.
    """
    if not found:
        return None
    low, high = min(one.edges[0] for _, one in found), max(one.edges[-1] for _, one in found)
    if not high > low:  # all values are the same: a thin picture around them
        margin = abs(low) * 0.01 or 1.0
        low, high = low - margin, high + margin
    grid = low + (high / ROWS - low / ROWS) * np.arange(ROWS + 1)
    shares = np.array([_shares(one, grid) for _, one in found])
    peak = float(shares.max()) or 1.0
    # the square root: else the few values at the rims, which tell that gradients explode, would be seen by nobody
    levels = np.ceil(np.sqrt(shares / peak) * 255).astype(np.uint8)
    return Heatmap([step for step, _ in found], float(low), float(high), levels.tobytes())


def _shares(one: Histogram, grid: Floats) -> Floats:
    """Share the counts of a histogram out to other ranges: as much of each as it has in common with them."""
    total = float(one.counts.sum())
    if not total or not math.isfinite(total):
        return np.zeros(ROWS)
    if one.edges[-1] == one.edges[0]:
        place = min(int(np.searchsorted(grid, one.edges[0], "right")) - 1, ROWS - 1)
        found = np.zeros(ROWS)
        found[max(place, 0)] = 1.0
        return found
    below = np.concatenate([[0.0], np.cumsum(one.counts)]) / total
    return np.maximum(np.diff(np.interp(grid, one.edges, below)), 0.0)
