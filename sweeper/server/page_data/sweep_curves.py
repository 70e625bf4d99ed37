"""The metric of a sweep's runs over their iterations, or any logged number over its steps: some points of each."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from sweeper.metric_value import float_or_nan
from sweeper.plots import logged
from sweeper.server.errors import RequestError
from sweeper.server.page_data.answers import SWEEP, data_route, find_sweep
from sweeper.server.page_data.selection import selected
from sweeper.server.store import history_keys, history_samples, lines, run_digests, runs
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import MAX_INTEGER
from sweeper.server.store.sweeps import Sweep

MOST_POINTS = 60_000
"""Over all curves; no screen shows more."""
USUAL, FEWEST, MOST = 100, 8, 500
"""Points of a curve."""
DIGITS = 6
MOST_LOOKED_UP = 100
"""Runs whose other numbers are looked up in what they logged: some milliseconds each."""

_Curves = Mapping[str, Sequence[tuple[float, float]]]


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Answer `ids`, and for each `at`, iterations from 1, and `values`: some, evenly spread, the last among them.

    `?points=N` of each, fewer where there are too many runs; `&runs=` a selection; `&key=KEY` another logged number,
    with `at` its steps, of the first hundred of them. Runs without a value are left out.
    """
    sweep = find_sweep(db, request)
    names = selected(request, [*run_digests.names_by_row(db, sweep.id).values()])
    points = max(FEWEST, min(_points(request), MOST_POINTS // max(1, len(names))))
    key = request.query_params.get("key")
    curves = _looked_up(db, sweep, names, key, points) if key else _kept(db, sweep, names, points)
    return {
        "ids": list(curves),
        "at": [[iteration for iteration, _ in curve] for curve in curves.values()],
        "values": [[float(f"{value:.{DIGITS}g}") for _, value in curve] for curve in curves.values()],
    }


def _kept(db: Connection, sweep: Sweep, names: Sequence[str], points: int) -> _Curves:
    return lines.metric_curves(db, sweep.id, names[: MOST_POINTS // FEWEST], points)


def _looked_up(db: Connection, sweep: Sweep, names: Sequence[str], key: str, points: int) -> _Curves:
    found = {}
    for name in names[:MOST_LOOKED_UP]:
        run = runs.find(db, sweep.project_id, name)
        counts = history_keys.counts(json.loads(run.history_keys)) if run else {}
        if run is None or key not in counts:
            continue
        wanted = (key, logged.STEP)
        rows = history_samples.rows(db, run.id, wanted, counts=counts, first=0, end=MAX_INTEGER, limit=points)
        pairs = [(row[logged.STEP], float_or_nan(row[key])) for row in rows]
        if curve := [(at, value) for at, value in pairs if value is not None and math.isfinite(value)]:
            found[name] = curve
    return found


def _points(request: Request) -> int:
    text = request.query_params.get("points", str(USUAL))
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise RequestError(f"points: {text[:100]!r} is no number")
    return min(MOST, int(text))


ROUTES = [data_route(SWEEP + "/curves", _read)]
