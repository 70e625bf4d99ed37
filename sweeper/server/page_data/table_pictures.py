"""The pictures in a table that a run logged.

Where a cell is a `wandb.Image`, the run's own file of the table has the word `Image` (wandb 0.31). The artifact that
the SDK logs beside it has the table once more, with the path of each picture among its files.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request

from sweeper.plots.custom_charts import LoggedTable
from sweeper.server.artifacts.blobs import BlobStore
from sweeper.server.errors import RequestError
from sweeper.server.graphql.artifact_addresses import named_url
from sweeper.server.store import artifact_collections, artifact_files, artifacts
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.strict_json import parse

MOST_FILES = 20_000
"""Files of an artifact among which pictures are looked for."""
_BEHIND = re.compile(r"wandb-client-artifact://([^/]+)/(.+)")


def pictures(
    db: Connection, request: Request, run: StoredRun, value: Any, *, rows: int, most_bytes: int
) -> list[dict[str, Any]]:
    """Say which cells are pictures, and where those lie.

    Args:
        db: A connection.
        request: What asks.
        run: The run.
        value: The table as it was logged.
        rows: How many rows are shown.
        most_bytes: Of a larger table, none are looked for.

    Returns:
        `row`, `column` and `url` of each; none where the artifact is not here, or has another form.
    """
    behind = _BEHIND.fullmatch(str(value.get("artifact_path"))) if isinstance(value, dict) else None
    found = artifacts.of_client(db, behind[1]) if behind else None
    if behind is None or found is None:
        return []
    collection = artifact_collections.get(db, artifacts.get(db, found).collection_id)
    if collection.project_id != run.project_id:
        return []
    files = {file.path: file for file in artifact_files.page(db, found, after="", limit=MOST_FILES)}
    own = files.get(behind[2])
    table = None
    if own is not None and own.md5 and (own.size or 0) <= most_bytes:
        table = _read(request.app.state.blobs, collection.project_id, own.md5)
    entity, project = request.path_params["entity"], request.path_params["project"]
    cells = [
        (row, column, files[path])
        for row, values in enumerate(table.data[:rows] if table else ())
        for column, cell in enumerate(values)
        if (path := _path(cell)) in files
    ]
    return [
        {"row": row, "column": column, "url": named_url(entity, project, collection.name, file.md5, file.path)}
        for row, column, file in cells
        if file.md5
    ]


def _read(blobs: BlobStore, project_id: int, md5: str) -> LoggedTable | None:
    try:
        return LoggedTable.read(parse(blobs.place(project_id, md5).read_bytes(), "the table"))
    except (OSError, RequestError):  # gone, or no JSON: the page shows the words
        return None


def _path(cell: Any) -> str:
    is_picture = isinstance(cell, dict) and cell.get("_type") == "image-file"
    return str(cell.get("path")) if is_picture else ""
