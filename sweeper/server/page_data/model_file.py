"""The model that a run has left: a file of its own, or one in an artifact that it made."""

from __future__ import annotations

from typing import Any

from sweeper.server.graphql.artifact_addresses import named_url
from sweeper.server.graphql.context import file_path
from sweeper.server.page_data.file_preview import kind_of
from sweeper.server.store import artifact_files, artifact_versions, run_files
from sweeper.server.store.artifacts import OUTPUT
from sweeper.server.store.database import Connection
from sweeper.server.store.projects import Project
from sweeper.server.store.runs import StoredRun

USUAL = "model.onnx"
"""What the tutorial's trainers, ours among them, call it."""
TYPE = "model"
"""The type of artifacts that hold one."""
MOST_LOOKED_AT = 100


def model_file(db: Connection, place: Project, run: StoredRun) -> dict[str, Any] | None:
    """Give `path`, `size` and `url` of a run's model; None if it has left none.

    `model.onnx` comes first, then any other file that is a model by its name, then the newest artifact of the type
    "model".
    """
    usual = run_files.look_up(db, run.id, USUAL)
    files = [usual] if usual else [file for file in run_files.of_run(db, run.id) if kind_of(file.path) == "model"]
    if files:
        url = file_path(place.entity, place.name, run.name, files[0].path)
        return {"path": files[0].path, "size": files[0].size, "url": url}
    made = [one for one in artifact_versions.of_run(db, run.id, OUTPUT) if one.type == TYPE]
    for version in reversed(made):
        for entry in artifact_files.page(db, version.id, after="", limit=MOST_LOOKED_AT):
            if kind_of(entry.path) == "model" and not entry.reference:
                url = named_url(version.entity, version.project, version.name, entry.md5, entry.path)
                return {"path": entry.path, "size": entry.size, "url": url}
    return None
