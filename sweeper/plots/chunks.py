"""A history's numbers summed up in chunks of its lines, so that a million rows are drawn without being read again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sweeper.metric_value import float_or_nan, lookup

Floats = npt.NDArray[np.float64]
CHUNK = 64
"""Lines of a chunk: of a million lines in a chart of a thousand pixels, each pixel has some fifteen."""
COUNT, MEAN, LOW, HIGH = range(4)
"""The columns of what is summed up; of a chunk without a number the last three are NaN."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The finite numbers of one key.

    Attributes:
        lines: Where each stands among some lines, ascending.
        values: The numbers.
    """

    lines: npt.NDArray[np.int64]
    values: Floats


def columns(rows: Iterable[tuple[int, Mapping[str, Any]]], keys: Collection[str] | None = None) -> dict[str, Numbers]:
    """Give the finite numbers of each key of some rows of a history; nested keys are dotted, media are left out.

    Args:
        rows: Each with its place among the lines, ascending.
        keys: Only these; None for all.
    """
    found: dict[str, tuple[list[int], list[Any]]] = {}
    for place, row in rows:
        chosen = row if keys is None else {key: value for key in keys if (value := lookup(row, key)) is not None}
        _spread(chosen, place, found)
    made = {key: _column(places, values) for key, (places, values) in found.items()}
    return {key: column for key, column in made.items() if column.values.size}


def _spread(
    row: Mapping[str, Any], place: int, found: dict[str, tuple[list[int], list[Any]]], prefix: str = ""
) -> None:
    for name, value in row.items():
        kind = type(value)  # `type is`: parsed JSON has no subclasses, and this is hot
        if kind is float or kind is int:
            places, values = found.setdefault(prefix + name, ([], []))
            places.append(place)
            values.append(value)
        elif kind is dict and "_type" not in value:
            _spread(value, place, found, f"{prefix}{name}.")


def _column(places: Sequence[int], values: Sequence[Any]) -> Numbers:
    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:  # an integer of more than 308 digits
        numbers = np.array([float_or_nan(value) for value in values], dtype=np.float64)
    good = np.isfinite(numbers)
    return Numbers(np.array(places, dtype=np.int64)[good], numbers[good])


def summed(column: Numbers, lines: int) -> Floats:
    """Sum up a column chunk by chunk.

    Args:
        column: The numbers.
        lines: How many lines they come from.

    Returns:
        A row for each chunk of `CHUNK` lines, the last one perhaps shorter: COUNT, MEAN, LOW, HIGH.
    """
    chunks = -(-lines // CHUNK)
    found = np.full((chunks, 4), np.nan)
    found[:, COUNT] = 0
    if column.values.size:
        at, starts = np.unique(column.lines // CHUNK, return_index=True)
        found[at] = _of_groups(column.values, starts)
    return found


def _of_groups(values: Floats, starts: npt.NDArray[np.intp]) -> Floats:
    """Sum up numbers group by group, each beginning at one of the starts."""
    counts = np.diff(np.append(starts, values.size))
    lows, highs = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    with np.errstate(over="ignore", invalid="ignore"):
        means = np.add.reduceat(values, starts) / counts
    # a sum may be more than a float holds, and rounding may push a mean beyond what it is the mean of
    means = np.clip(np.where(np.isfinite(means), means, lows / 2 + highs / 2), lows, highs)
    return np.column_stack([counts, means, lows, highs])


def packed(sums: Floats) -> bytes:
    """Write sums as they are kept."""
    return sums.astype("<f8").tobytes()


def unpacked(sums: bytes) -> Floats:
    """Read what `packed` wrote."""
    return np.frombuffer(sums, dtype="<f8").reshape(-1, 4)
