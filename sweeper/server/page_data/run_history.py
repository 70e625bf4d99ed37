"""The points of a run's charts: as many as a chart is wide, without a peak lost, however long the history is.

Blocks that are summed up (`store/history_blocks.py`) are read as sums, a small part of them and all that lies behind
them as lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from starlette.requests import Request

from sweeper.plots import buckets, chunks, logged
from sweeper.plots.buckets import Points
from sweeper.plots.chunks import CHUNK, COUNT, HIGH, LOW, Numbers
from sweeper.server.errors import RequestError
from sweeper.server.page_data import answers
from sweeper.server.page_data.answers import data_route
from sweeper.server.store import history_blocks, lines
from sweeper.server.store.database import Connection
from sweeper.server.store.history_blocks import BLOCK
from sweeper.server.store.lines import Stream
from sweeper.server.strict_json import stored

MAX_KEYS = 100
MAX_WIDTH = 2000
READ_LINES = 12_000
"""Lines that are read one by one for an answer, in a quarter of a second: a part of so many is drawn as it was."""
SAMPLED = 3000
"""Of more lines than that which nobody has summed up yet, so many are read: a page waits for its first picture."""


def history(db: Connection, request: Request) -> dict[str, Any]:
    """Give the points of each `key` over the axis `x`, between `from` and `to`, thinned out to `width`.

    Raises:
        RequestError: A parameter is no number, or there are too many keys.
    """
    run = answers.find_run(db, request)
    query = request.query_params
    keys, axis = query.getlist("key"), query.get("x", logged.STEP)
    if len(keys) > MAX_KEYS:
        raise RequestError(f"{len(keys)} keys at once are more than {MAX_KEYS}")
    low, high = (_number(query.get(word), word) for word in ("from", "to"))
    width = int(_number(query.get("width"), "width") or 600)
    read = _Zoomed(db, run.id, axis, low, high)
    found = {key: read.points(key) for key in read.wanted(keys)}
    width = max(2, min(width, MAX_WIDTH))
    return {
        "axis": axis,
        "rows": read.rows,
        "unread": read.unread,
        "keys": {key: buckets.plain(buckets.thinned(points, width)) for key, points in found.items()},
    }


def _number(text: str | None, what: str) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RequestError(f"{what} is {text[:100]!r}, expected a number")
    return value


@dataclass(frozen=True, slots=True)
class _Range:
    """Lines of a history, from a number to before another."""

    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first


class _Zoomed:
    """The part of a run's history between two places of an axis."""

    def __init__(self, db: Connection, run_id: int, axis: str, low: float | None, high: float | None) -> None:
        self._db, self._run_id, self._axis, self._low, self._high = db, run_id, axis, low, high
        self.rows = lines.count(db, run_id, Stream.HISTORY)
        kept = history_blocks.kept(db, run_id) if self.rows > READ_LINES else []
        sums = history_blocks.sums(db, run_id, [axis], kept).get(axis, {})
        self._x = {block: chunks.unpacked(packed) for block, packed in sums.items()}
        self._blocks = self._touched(kept)
        few = sum(map(len, self._blocks.values())) <= READ_LINES
        self._ranges = [*self._blocks.values()] if few else []
        if few:
            self._blocks = {}
        loose, self.unread = _loose(kept, self.rows), 0
        if sum(map(len, loose)) > READ_LINES:
            self.unread = sum(map(len, loose))
        self._loose = loose

    def _touched(self, kept: Sequence[int]) -> dict[int, _Range]:
        """Find the lines of summed-up blocks that lie between the two places, with a chunk more at both ends."""
        found = {}
        for block in kept:
            x = self._x.get(block)
            if x is None:
                continue
            inside = x[:, COUNT] > 0
            if self._low is not None:
                inside &= np.nan_to_num(x[:, HIGH], nan=-math.inf) >= self._low
            if self._high is not None:
                inside &= np.nan_to_num(x[:, LOW], nan=math.inf) <= self._high
            places = np.flatnonzero(inside)
            if places.size:
                first, last = max(0, int(places[0]) - 1), min(len(x) - 1, int(places[-1]) + 1)
                found[block] = _Range(block * BLOCK + first * CHUNK, block * BLOCK + (last + 1) * CHUNK)
        return found

    def _read(self, keys: Sequence[str]) -> dict[str, Numbers]:
        """Read lines; of too many that nobody has summed up, evenly spread ones."""
        stride = max(1, -(-self.unread // SAMPLED))
        rows = [
            (number, stored(text))
            for part, step in [*((part, 1) for part in self._ranges), *((part, stride) for part in self._loose)]
            for number, text in history_blocks.texts(self._db, self._run_id, part.first, part.end, step)
        ]
        return chunks.columns(sorted(rows, key=lambda row: row[0]), {self._axis, *keys})

    def wanted(self, keys: Sequence[str]) -> list[str]:
        """Read some keys, and give those that have points."""
        self._columns = self._read(keys)
        self._sums = history_blocks.sums(self._db, self._run_id, keys, [*self._blocks])
        return [key for key in dict.fromkeys(keys) if key in self._sums or key in self._columns]

    def points(self, key: str) -> Points:
        """Give the points of a key, from left to right."""
        sums = self._sums.get(key, {})
        both = [(self._x[block], chunks.unpacked(sums[block])) for block in self._blocks if block in sums]
        parts = [buckets.of_chunks(*map(np.concatenate, zip(*both, strict=True)))] if both else []
        if key in self._columns and self._axis in self._columns:
            parts.append(buckets.of_column(self._columns[self._axis], self._columns[key]))
        return buckets.within(buckets.joined(parts), self._low, self._high)


def _loose(kept: Sequence[int], rows: int) -> list[_Range]:
    """List the lines that no block sums up."""
    ends = [-1, *kept, -(-rows // BLOCK)]
    gaps = (_Range((before + 1) * BLOCK, min(after * BLOCK, rows)) for before, after in pairwise(ends))
    return [gap for gap in gaps if gap.first < gap.end]


ROUTES = [data_route(answers.RUN + "/history", history)]
