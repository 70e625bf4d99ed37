"""Gaps: what a finished run's history lacks. Somebody has to be told, for a curve with a hole looks like any other.

A process that is killed takes along the rows it had not sent, and a trainer that goes on from its checkpoint does not
log them again unless it knows that rule (docs/trainers.md). Nobody heard of those rows, so their place is looked for:
where an attempt went on, what counts upwards must not leap further than it does around there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sweeper.run import Run, RunState
from sweeper.search.missing_metric import why_no_value

AROUND = 50
"""Rows of an attempt that are looked at, at either end."""
ENOUGH_PEERS = 2
"""Runs that were not interrupted and agree: one may be a special case."""
ENOUGH_STRIDES = 2
"""Equal strides that make a counter of a number that was logged; `_step` is one without."""
STEP = "_step"

Row = Mapping[str, Any]
Piece = Sequence[Sequence[Row]]
"""What one attempt left of a history: rows that follow one another, or its first ones and its last ones."""


def gap_where_resumed(pieces: Sequence[Piece]) -> str:
    """Say which rows are missing where an attempt went on; empty if none is known to be.

    Args:
        pieces: What each attempt logged, in their order; the first one may have nothing.
    """
    keys = [STEP, *_counters(pieces)]
    leaps = (_leap(key, pieces, place) for place in range(1, len(pieces)) for key in keys)
    return next(filter(None, leaps), "")


def _counters(pieces: Sequence[Piece]) -> Iterator[str]:
    """Name what a trainer may have counted by: whole numbers that all rise by the same."""
    for key in dict.fromkeys(key for row in _rows(pieces) for key in row if not key.startswith("_")):
        rises = [stride for stride in _strides(key, pieces) if stride]
        if len(rises) >= ENOUGH_STRIDES and len(set(rises)) == 1 and rises[0] > 0:
            yield key


def _leap(key: str, pieces: Sequence[Piece], place: int) -> str:
    """Say between which values of a counter nothing was logged, if it leaps further before a piece than elsewhere."""
    old, new = _values(key, _rows(pieces[:place])), _values(key, _rows(pieces[place:]))
    most = max(_strides(key, pieces), default=0)
    if not (most and new):
        return ""
    name = key.removeprefix("_")
    if old:
        return f"no rows between {name} {old[-1]} and {new[0]}" if new[0] - old[-1] > most else ""
    return f"no rows before {name} {new[0]}" if new[0] > most and not _rows(pieces[:place]) else ""


def _rows(pieces: Sequence[Piece]) -> list[Row]:
    return [row for piece in pieces for rows in piece for row in rows]


def _values(key: str, rows: Sequence[Row]) -> list[int]:
    """Give the values of a key; none if one of them is no whole number: then it counts nothing."""
    found = [row[key] for row in rows if key in row]
    return found if all(type(value) is int for value in found) else []


def _strides(key: str, pieces: Sequence[Piece]) -> list[int]:
    """Say how far apart the values of a key are within the pieces."""
    values = (_values(key, rows) for piece in pieces for rows in piece)
    return [later - earlier for some in values for earlier, later in pairwise(some)]


def gap_behind(rows: int, reached: int) -> str:
    """Say that a run has fewer rows than an attempt that it began anew after; empty if it has not."""
    return f"{rows} rows, where an earlier attempt had logged {reached}" if rows < reached else ""


def usual_iterations(runs: Sequence[Run]) -> int | None:
    """Give how many values the finished runs of a sweep logged that were not interrupted; None if they do not agree."""
    counts = [run.iterations for run in runs if run.state is RunState.FINISHED and not (run.interrupted or run.prior)]
    return counts[0] if len(counts) >= ENOUGH_PEERS and len(set(counts)) == 1 else None


def gap_of(run: Run, usual: int | None = None) -> str:
    """Say what a run's history lacks although it finished; empty if nothing is known to be missing.

    Args:
        run: The run.
        usual: How many values such runs have that were not interrupted, if that is known.
    """
    if run.state is not RunState.FINISHED:
        return ""
    if run.lacks:
        return why_no_value(run)
    if run.gap:
        return f"its history has a gap: {run.gap}"
    if run.interrupted and usual is not None and run.iterations < usual:
        return f"its history has a gap: {run.iterations} values, where runs that were not interrupted logged {usual}"
    return ""


def why_not_whole(run: Run, usual: int | None = None) -> str:
    """Say why an ended run is to be looked at with care: its gap, or that none of its values is a number."""
    return gap_of(run, usual) or why_no_value(run)
