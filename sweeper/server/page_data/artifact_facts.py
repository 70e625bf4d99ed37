"""A version of an artifact as its page shows it: what it is, what it came from, and what came of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from sweeper.server.artifacts.blobs import BlobStore
from sweeper.server.errors import NotFoundError
from sweeper.server.graphql.artifact_addresses import named_url
from sweeper.server.page_data.answers import DATA, data_route, find_project
from sweeper.server.page_data.file_preview import drawn_at, kind_of, preview
from sweeper.server.store import artifact_collections, artifact_files, artifact_versions, artifacts
from sweeper.server.store.artifact_collections import Collection
from sweeper.server.store.artifact_versions import ArtifactVersion, RunAround
from sweeper.server.store.artifacts import INPUT, OUTPUT, Artifact
from sweeper.server.store.database import Connection

VERSION = DATA + "/artifacts/{name}/{version}"
MOST_LISTED = 20_000
MOST_AROUND = 50
"""Runs of which it is looked up what they used and made."""
_NUMBER = re.compile(r"v(0|[1-9][0-9]{0,9})")


@dataclass(frozen=True, slots=True)
class VersionPlace:
    """A version that an address names."""

    collection: Collection
    artifact: Artifact
    listed: ArtifactVersion


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an artifact comes from and where it went.

    Attributes:
        makers: The runs that made it, each with what it had used.
        users: The runs that used it, each with what it has made.
    """

    makers: list[tuple[RunAround, list[ArtifactVersion]]]
    users: list[tuple[RunAround, list[ArtifactVersion]]]


def find_version(db: Connection, project_id: int, name: str, version: str) -> VersionPlace:
    """Find a version by its number (`v3`) or by an alias.

    Raises:
        NotFoundError: There is none.
    """
    collection = artifact_collections.find(db, project_id, name)
    if collection is None:
        raise NotFoundError(f"no artifact {name!r} here")
    number = _NUMBER.fullmatch(version)
    member = artifact_collections.with_version(db, collection.id, int(number[1])) if number else None
    member = member or artifact_collections.with_alias(db, collection.id, version)
    found = member and [
        one for one in artifact_versions.of_collection(db, collection.id) if one.id == member.artifact_id
    ]
    if not member or not found:
        raise NotFoundError(f"artifact {name!r} has no version {version!r}")
    return VersionPlace(collection, artifacts.get(db, member.artifact_id), found[0])


def lineage(db: Connection, artifact_id: int) -> Lineage:
    """Look up the runs around an artifact, and the artifacts around those."""
    makers = artifact_versions.runs_around(db, artifact_id, OUTPUT)[:MOST_AROUND]
    users = artifact_versions.runs_around(db, artifact_id, INPUT)[:MOST_AROUND]
    return Lineage(
        [(run, artifact_versions.of_run(db, run.id, INPUT)) for run in makers],
        [(run, artifact_versions.of_run(db, run.id, OUTPUT)) for run in users],
    )


def metadata(artifact: Artifact) -> str:
    """Lay out what the user said of an artifact; empty if nothing."""
    found = json.loads(artifact.metadata or "{}")
    return json.dumps(found, indent=2, ensure_ascii=False) if found else ""


def _asked(db: Connection, request: Request) -> VersionPlace:
    place, names = find_project(db, request), request.path_params
    return find_version(db, place.id, names["name"], names["version"])


def _files(db: Connection, request: Request) -> dict[str, Any]:
    """List the files of a version by path: each with its size, and where its content lies."""
    found, names = _asked(db, request), request.path_params
    version = (names["entity"], names["project"], "artifacts", names["name"], names["version"])
    files = artifact_files.page(db, found.artifact.id, after="", limit=MOST_LISTED)
    listed = [
        {
            "path": file.path,
            "size": file.size,
            "url": None
            if file.reference
            else named_url(names["entity"], names["project"], found.collection.name, file.md5, file.path),
            "reference": file.reference,
            "kind": kind_of(file.path),
            "model": None if file.reference else drawn_at(file.path, *version),
        }
        for file in files
    ]
    more = max(0, found.artifact.file_count - len(listed))
    return {"files": listed, "more": more, "bytes": found.artifact.size}


def _preview(db: Connection, request: Request) -> dict[str, Any]:
    """Give what is shown of one file of a version."""
    path = request.query_params.get("path", "")
    blobs: BlobStore = request.app.state.blobs
    try:
        return preview(blobs.place(*find_content(db, request, path)), path)
    except OSError as error:
        raise NotFoundError(f"the content of {path!r} is gone") from error


def find_content(db: Connection, request: Request, path: str) -> tuple[int, str]:
    """Find a file of the version that a request names: the project that keeps its content, and the content's MD5.

    Raises:
        NotFoundError: There is no such version, or no such file in it, or its content lies elsewhere.
    """
    found = _asked(db, request)
    file = next(iter(artifact_files.named(db, found.artifact.id, [path])), None)
    if file is None or file.reference:
        raise NotFoundError(f"the artifact has no file {path!r} whose content is here")
    # what a content is called is the artifact's to say: on disk it is one of its project's, by its MD5
    return found.collection.project_id, file.md5


ROUTES = [data_route(f"{VERSION}/files", _files), data_route(f"{VERSION}/preview", _preview)]
