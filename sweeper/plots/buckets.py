"""Points of a chart, thinned out to as many as it is wide; no lowest and no highest value is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sweeper.plots.chunks import COUNT, HIGH, LOW, MEAN, Floats, Numbers

DIGITS = 9
"""Of each number that is sent: more than anybody sees, fewer than a float has."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points from left to right, each for one value or for several that lie close together.

    Attributes:
        x: Where they lie.
        mean: Their values, on average.
        low: The lowest of each.
        high: The highest of each.
        count: How many values each stands for.
    """

    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    count: Floats

    def __len__(self) -> int:
        """Count them."""
        return self.x.size

    def where(self, chosen: Any) -> Points:
        """Give some of them: those of a mask, or at some places."""
        return Points(*(column[chosen] for column in self.columns()))

    def columns(self) -> tuple[Floats, ...]:
        """Give its columns."""
        return self.x, self.mean, self.low, self.high, self.count

    @property
    def exact(self) -> bool:
        """Whether each stands for one value."""
        return bool(np.all(self.count == 1))


NOTHING = Points(*[np.empty(0)] * 5)


def of_column(x: Numbers, y: Numbers) -> Points:
    """Give the points of two columns: of each line that has a number in both."""
    _, at_x, at_y = np.intersect1d(x.lines, y.lines, assume_unique=True, return_indices=True)
    values = y.values[at_y]
    return Points(x.values[at_x], values, values, values, np.ones(values.size))


def of_chunks(x: Floats, y: Floats) -> Points:
    """Give the points of summed-up columns (`chunks.summed`): one for each chunk with numbers in both."""
    both = (x[:, COUNT] > 0) & (y[:, COUNT] > 0)
    chosen = y[both]
    return Points(x[both, MEAN], chosen[:, MEAN], chosen[:, LOW], chosen[:, HIGH], chosen[:, COUNT])


def joined(parts: list[Points]) -> Points:
    """Give points of several parts as one, from left to right."""
    columns = zip(*(part.columns() for part in parts), strict=True)
    whole = Points(*(np.concatenate(column) for column in columns)) if parts else NOTHING
    if np.all(whole.x[1:] >= whole.x[:-1]):
        return whole
    return whole.where(np.argsort(whole.x, kind="stable"))


def within(points: Points, low: float | None, high: float | None) -> Points:
    """Give the points of a range, and the one before and behind it, to which a line leads."""
    first = 0 if low is None else max(0, int(np.searchsorted(points.x, low, "left")) - 1)
    end = len(points) if high is None else int(np.searchsorted(points.x, high, "right")) + 1
    return points.where(slice(first, end))


def thinned(points: Points, width: int) -> Points:
    """Put points that fall on the same of `width` equal cells together; where they are no more than that, none.

    Args:
        points: From left to right.
        width: How many cells.
    """
    if len(points) <= width:
        return points
    low, high = points.x[0], points.x[-1]
    span = high / width - low / width  # divided first: a difference may be more than a float holds
    cells = (
        np.minimum((points.x / span - low / span).astype(np.int64), width - 1) if span > 0 else np.zeros(len(points))
    )
    _, starts = np.unique(cells, return_index=True)
    count = np.add.reduceat(points.count, starts)
    with np.errstate(over="ignore", invalid="ignore"):
        share = points.count / np.repeat(count, np.diff(np.append(starts, len(points))))
    low_y, high_y = np.minimum.reduceat(points.low, starts), np.maximum.reduceat(points.high, starts)
    means = (np.add.reduceat(column * share, starts) for column in (points.x, points.mean))
    x, mean = next(means), np.clip(next(means), low_y, high_y)
    return Points(
        np.clip(x, points.x[starts], points.x[np.append(starts[1:], len(points)) - 1]), mean, low_y, high_y, count
    )


def plain(points: Points) -> dict[str, list[float]]:
    """Give points as a page reads them: `x` and `y`, and `low` and `high` if some stand for several values."""
    found = {"x": rounded(points.x), "y": rounded(points.mean)}
    if not points.exact:
        found |= {"low": rounded(points.low), "high": rounded(points.high)}
    return found


def rounded(values: Floats) -> list[float]:
    """Write numbers with as many digits as count; whole ones stay whole."""
    return [
        int(value) if value.is_integer() and abs(value) < 2**53 else float(f"{value:.{DIGITS}g}")
        for value in values.tolist()
    ]
