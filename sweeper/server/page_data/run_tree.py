"""The files of a run, as its page lists and shows them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from sweeper.server.errors import NotFoundError
from sweeper.server.graphql.context import file_path
from sweeper.server.page_data.answers import RUN, data_route, find_run
from sweeper.server.page_data.file_preview import drawn_at, kind_of, preview
from sweeper.server.store import run_files
from sweeper.server.store.database import Connection
from sweeper.server.store.run_files import FileStore

MOST_LISTED = 20_000


def _list(db: Connection, request: Request) -> dict[str, Any]:
    """List a run's files by path: each with its size, when it came, and where it lies."""
    run, names = find_run(db, request), request.path_params
    found = run_files.of_run(db, run.id)
    home = (names["entity"], names["project"], names["run"])
    listed = [
        {
            "path": file.path,
            "size": file.size,
            "updated_at": file.updated_at,
            "url": file_path(*home, file.path),
            "kind": kind_of(file.path),
            "model": drawn_at(file.path, names["entity"], names["project"], "runs", names["run"]),
        }
        for file in found[:MOST_LISTED]
    ]
    return {"files": listed, "more": max(0, len(found) - MOST_LISTED), "bytes": sum(file.size for file in found)}


def _preview(db: Connection, request: Request) -> dict[str, Any]:
    """Give what is shown of one file of a run."""
    run, names = find_run(db, request), request.path_params
    file = run_files.find(db, run.id, request.query_params.get("path", ""))
    shelf: FileStore = request.app.state.files
    place = shelf.locate(names["entity"], names["project"], names["run"], file.path)
    try:
        return preview(place, file.path)
    except OSError as error:
        raise NotFoundError(f"the content of {file.path!r} is gone") from error


ROUTES = [data_route(f"{RUN}/files", _list), data_route(f"{RUN}/preview", _preview)]
