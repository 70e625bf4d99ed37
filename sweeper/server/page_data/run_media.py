"""What a run logged beside numbers: histograms as pictures over steps, media by step, tables, `wandb.plot`."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from sweeper.plots import custom_charts, heatmap, logged
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.page_data import answers
from sweeper.server.page_data.answers import data_route
from sweeper.server.page_data.run_charts import own_part
from sweeper.server.page_data.table_pictures import pictures
from sweeper.server.store import history_keys, history_samples
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import MAX_INTEGER
from sweeper.server.store.run_files import FileStore, look_up
from sweeper.server.store.runs import StoredRun
from sweeper.server.strict_json import parse

COLUMNS = 120
"""Moments of a picture of histograms: a watched model's row is 200 KB long."""
MAX_LAYERS = 100
MAX_MOMENTS = 500
"""Steps of which media are listed."""
MAX_ROWS = 1000
"""Rows of a table that a page shows; the file has them all."""
MAX_TABLE = 32 * 2**20
"""Bytes of the largest table that is read for a page."""


def histograms(db: Connection, request: Request) -> dict[str, Any]:
    """Give pictures of histograms over steps, of each `key`.

    Raises:
        RequestError: There are too many keys.
    """
    run = answers.find_run(db, request)
    keys = request.query_params.getlist("key")
    if len(keys) > MAX_LAYERS:
        raise RequestError(f"{len(keys)} layers at once are more than {MAX_LAYERS}")
    counts = history_keys.counts(json.loads(run.history_keys))
    rows = _rows_by_key(db, run, [key for key in keys if key in counts], counts)
    found = {}
    for key, values in rows.items():
        read = [(step, one) for step, value in values if (one := heatmap.read(value)) is not None]
        picture = heatmap.heatmap(read)
        if picture:
            shares = base64.b64encode(picture.shares).decode()
            found[key] = {"steps": picture.steps, "low": picture.low, "high": picture.high, "shares": shares}
    return {"rows": heatmap.ROWS, "layers": found}


def _rows_by_key(
    db: Connection, run: StoredRun, keys: Sequence[str], counts: dict[str, int]
) -> dict[str, list[tuple[float, Any]]]:
    """Read the values of keys with their steps; those logged equally often together, as one row has them all."""
    groups = defaultdict(list)
    for key in keys:
        groups[counts[key]].append(key)
    found: dict[str, list[tuple[float, Any]]] = {}
    for group in groups.values():
        whole = _values(db, run, group, counts)
        found |= whole or {key: values for one in group for key, values in _values(db, run, [one], counts).items()}
    return found


def _values(
    db: Connection, run: StoredRun, keys: Sequence[str], counts: dict[str, int], limit: int = COLUMNS
) -> dict[str, list[tuple[float, Any]]]:
    wanted = [*keys, logged.STEP]
    rows = history_samples.rows(db, run.id, wanted, counts=counts, first=0, end=MAX_INTEGER, limit=limit)
    return {key: [(row[logged.STEP], row[key]) for row in rows] for key in keys} if rows else {}


def media(db: Connection, request: Request) -> dict[str, Any]:
    """Give the files of a media key by step, the oldest first; of very many steps evenly spread ones."""
    run, key = answers.find_run(db, request), request.query_params.get("key", "")
    counts = history_keys.counts(json.loads(run.history_keys))
    values = _values(db, run, [key], counts, MAX_MOMENTS).get(key, [])
    moments = [{"step": step, "files": [asdict(file) for file in logged.files(value)]} for step, value in values]
    return {"count": counts.get(key, 0), "moments": moments}


def table(db: Connection, request: Request) -> dict[str, Any]:
    """Give a table as it was logged last, or at the step `at`.

    Raises:
        NotFoundError: There is none of that key, or its file is not here.
    """
    run, key = answers.find_run(db, request), request.query_params.get("key", "")
    counts = history_keys.counts(json.loads(run.history_keys))
    values = _values(db, run, [key], counts, MAX_MOMENTS).get(key, [])
    at = request.query_params.get("at")
    chosen = [value for step, value in values if at is None or str(step) == at]
    if not chosen:
        raise NotFoundError(f"no table {key[:300]!r} here")
    path, found = _table(db, request, run, chosen[-1])
    return {
        "steps": [step for step, _ in values],
        "path": path,
        "columns": found.columns,
        "rows": found.data[:MAX_ROWS],
        "pictures": pictures(db, request, run, chosen[-1], rows=MAX_ROWS, most_bytes=MAX_TABLE),
        "total": len(found.data),
    }


def _table(db: Connection, request: Request, run: StoredRun, value: Any) -> tuple[str, custom_charts.LoggedTable]:
    """Read the file of a logged table; give its path, too.

    Raises:
        NotFoundError: It is not here, or no table.
        RequestError: It is too large.
    """
    path = next((file.path for file in logged.files(value)), "")
    known = look_up(db, run.id, path) if path else None
    if known is None:
        raise NotFoundError("the file of this table has not arrived: it is sent when the run logs it, or at its end")
    if known.size > MAX_TABLE:
        raise RequestError(f"this table has {known.size} bytes, too many for a page: download {path}", 413)
    files: FileStore = request.app.state.files
    entity, project = request.path_params["entity"], request.path_params["project"]
    place = files.locate(entity, project, run.name, path)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read: {error.strerror}") from error
    found = custom_charts.LoggedTable.read(parse(content, path))
    if found is None:
        raise NotFoundError(f"{path} is no table")
    return path, found


def custom_chart(db: Connection, request: Request) -> dict[str, Any]:
    """Say what a chart of `wandb.plot` or `wandb.visualize` draws, and the table it comes from.

    Raises:
        NotFoundError: There is none of that key, or its table is not here.
    """
    run, key = answers.find_run(db, request), request.query_params.get("key", "")
    asked = custom_charts.read(own_part(run)).get(key)
    if asked is None:
        raise NotFoundError(f"no chart {key[:300]!r} here")
    counts = history_keys.counts(json.loads(run.history_keys))
    values = _values(db, run, [asked.table], counts, MAX_MOMENTS).get(asked.table, [])
    if not values:
        raise NotFoundError(f"the table {asked.table[:300]!r} of this chart was never logged")
    path, found = _table(db, request, run, values[-1][1])
    drawing = custom_charts.drawing(asked, found)
    return {"path": path, "preset": asked.preset, "table": asked.table, "drawing": asdict(drawing) if drawing else None}


ROUTES = [
    data_route(answers.RUN + "/histograms", histograms),
    data_route(answers.RUN + "/media", media),
    data_route(answers.RUN + "/tables", table),
    data_route(answers.RUN + "/custom", custom_chart),
]
