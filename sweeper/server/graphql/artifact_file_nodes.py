"""GraphQL's File, of an artifact, and lists of them: there may be a hundred thousand."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from dataclasses import dataclass
from typing import Any

from sweeper.server.artifacts.blobs import base64_of
from sweeper.server.errors import RequestError
from sweeper.server.graphql.artifact_addresses import content_url
from sweeper.server.graphql.context import Context, global_id
from sweeper.server.graphql.node import Node
from sweeper.server.graphql.pagination import PAGE
from sweeper.server.store import artifact_collections, artifact_files
from sweeper.server.store.artifact_files import ArtifactFile
from sweeper.server.store.artifacts import Artifact

MAX_PAGE = 5000
"""Files in one page: what the SDK (0.31.0) asks for when it downloads an artifact."""


@dataclass(frozen=True, slots=True)
class FileOfArtifact:
    """A row of a file with that of its artifact.

    Attributes:
        artifact: The artifact.
        project_id: Whose contents they are.
        file: The file.
    """

    artifact: Artifact
    project_id: int
    file: ArtifactFile


class ArtifactFileNode(Node[FileOfArtifact]):
    """GraphQL's File, of an artifact."""

    def id(self) -> str:
        """Its global id: within its artifact only its path names it."""
        return global_id("ArtifactFile", str(self.stored.artifact.id), self.stored.file.path)

    def name(self) -> str:
        """Its path within the artifact."""
        return self.stored.file.path

    def display_name(self) -> str:
        """Its path within the artifact."""
        return self.stored.file.path

    def url(self, upload: bool = False) -> str:  # noqa: ARG002 - what is committed is never written again
        """Where its content is."""
        if self.stored.file.reference is not None:
            return self.stored.file.reference
        return content_url(self.context, self.stored.project_id, self.stored.file.md5)

    def direct_url(self) -> str:
        """Where its content is."""
        return self.url()

    def size_bytes(self) -> int:
        return self.stored.file.size

    def mimetype(self) -> str | None:
        """What its name says it is."""
        return mimetypes.guess_type(self.stored.file.path)[0]

    def md5(self) -> str | None:
        """Its MD5, base64; None for a reference."""
        return base64_of(self.stored.file.md5) if self.stored.file.md5 else None

    def digest(self) -> str | None:
        """Its MD5, base64; None for a reference."""
        return self.md5()

    def updated_at(self) -> float:
        """When its artifact was last changed."""
        return self.stored.artifact.updated_at

    def storage_path(self) -> str | None:
        """Where its content lies among the server's artifacts; None for a reference."""
        return f"{self.stored.project_id}/{self.stored.file.md5}" if self.stored.file.md5 else None

    def artifact(self) -> Artifact:
        return self.stored.artifact

    # what createArtifactFiles gives out is a dict: these are of files still to be uploaded
    upload_url = upload_headers = upload_multipart_urls = None


def file_connection(
    context: Context,
    artifact: Artifact,
    *,
    names: list[str] | None = None,
    first: int | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    """List an artifact's files by path: one page of all, or those with some names."""
    if first is not None and first < 0:
        raise RequestError(f"first: {first} is negative")
    size = min(PAGE if first is None else first, MAX_PAGE)
    start = _path_of(after) if after else ""
    with context.store.read() as db:
        project_id = artifact_collections.get(db, artifact.collection_id).project_id
        if names:
            known = artifact_files.named(db, artifact.id, names)
            total, found = len(known), [file for file in known if file.path > start]
        else:
            total = artifact.file_count
            # one more than the page tells whether another one follows; counting the rest would read a hundred thousand
            found = artifact_files.page(db, artifact.id, after=start, limit=size + 1)
    rows = [FileOfArtifact(artifact, project_id, file) for file in found[:size]]
    edges = [{"node": row, "cursor": _cursor(row.file.path)} for row in rows]
    page_info = {"end_cursor": edges[-1]["cursor"] if edges else after, "has_next_page": len(found) > size}
    return {"edges": edges, "page_info": page_info, "total_count": total}


def _cursor(path: str) -> str:
    return base64.urlsafe_b64encode(path.encode()).decode()


def _path_of(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"{cursor!r} is not a cursor of ours") from error
