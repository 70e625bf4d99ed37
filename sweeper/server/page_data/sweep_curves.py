"""The metric of a sweep's runs over their iterations, some points of each."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from sweeper.server.errors import RequestError
from sweeper.server.page_data.answers import SWEEP, data_route, find_sweep
from sweeper.server.page_data.selection import selected
from sweeper.server.store import lines, run_digests
from sweeper.server.store.database import Connection

MOST_POINTS = 60_000
"""Over all curves; no screen shows more."""
USUAL, FEWEST, MOST = 100, 8, 500
"""Points of a curve."""
DIGITS = 6


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Answer `ids`, and for each `at`, iterations from 1, and `values`: some, evenly spread, the last among them.

    `?points=N` of each, fewer where there are too many runs; `&runs=` a selection. Runs without a value are left out.
    """
    sweep = find_sweep(db, request)
    names = selected(request, [*run_digests.names_by_row(db, sweep.id).values()])
    points = max(FEWEST, min(_points(request), MOST_POINTS // max(1, len(names))))
    curves = lines.metric_curves(db, sweep.id, names[: MOST_POINTS // FEWEST], points)
    return {
        "ids": list(curves),
        "at": [[iteration for iteration, _ in curve] for curve in curves.values()],
        "values": [[float(f"{value:.{DIGITS}g}") for _, value in curve] for curve in curves.values()],
    }


def _points(request: Request) -> int:
    text = request.query_params.get("points", str(USUAL))
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise RequestError(f"points: {text[:100]!r} is no number")
    return min(MOST, int(text))


ROUTES = [data_route(SWEEP + "/curves", _read)]
