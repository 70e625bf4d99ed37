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
from sweeper.server.graphql.context import Context, global_id, timestamp
from sweeper.server.store import artifact_files
from sweeper.server.store.artifact_files import ArtifactFile
from sweeper.server.store.artifacts import Artifact

PAGE = 50
MAX_PAGE = 5000
"""Files in one page: what the SDK (0.31.0) asks for when it downloads an artifact."""


@dataclass(frozen=True, slots=True)
class FileOwner:
    """The artifact that files belong to.

    Attributes:
        context: The request.
        stored: The artifact.
        project_id: Whose contents they are.
        node: GraphQL's Artifact.
    """

    context: Context
    stored: Artifact
    project_id: int
    node: object


@dataclass(frozen=True, slots=True)
class ArtifactFileNode:
    """GraphQL's File, of an artifact."""

    owner: FileOwner
    stored: ArtifactFile

    def id(self) -> str:
        """Its global id."""
        return global_id("ArtifactFile", str(self.owner.stored.id), self.stored.path)

    def name(self) -> str:
        """Its path within the artifact."""
        return self.stored.path

    def display_name(self) -> str:
        """Its path within the artifact."""
        return self.stored.path

    def url(self, upload: bool = False) -> str:  # noqa: ARG002 - what is committed is never written again
        """Where its content is."""
        if self.stored.reference is not None:
            return self.stored.reference
        return content_url(self.owner.context, self.owner.project_id, self.stored.md5)

    def direct_url(self) -> str:
        """Where its content is."""
        return self.url()

    def size_bytes(self) -> int:
        """Its size."""
        return self.stored.size

    def mimetype(self) -> str | None:
        """What its name says it is."""
        return mimetypes.guess_type(self.stored.path)[0]

    def md5(self) -> str | None:
        """Its MD5, base64; None for a reference."""
        return base64_of(self.stored.md5) if self.stored.md5 else None

    def digest(self) -> str | None:
        """Its MD5, base64; None for a reference."""
        return self.md5()

    def updated_at(self) -> str | None:
        """When its artifact was last changed."""
        return timestamp(self.owner.stored.updated_at)

    def artifact(self) -> object:
        """Its artifact."""
        return self.owner.node

    storage_path = upload_url = upload_headers = upload_multipart_urls = None


def file_connection(
    owner: FileOwner, *, names: list[str] | None = None, first: int | None = None, after: str | None = None
) -> dict[str, Any]:
    """List an artifact's files by path: one page of all, or those with some names."""
    if first is not None and first < 0:
        raise RequestError(f"first: {first} is negative")
    size = min(PAGE if first is None else first, MAX_PAGE)
    start = _path_of(after) if after else ""
    with owner.context.store.read() as db:
        if names:
            known = artifact_files.named(db, owner.stored.id, names)
            total, found = len(known), [file for file in known if file.path > start]
        else:
            total = owner.stored.file_count
            found = artifact_files.page(db, owner.stored.id, after=start, limit=size + 1)
    edges = [{"node": ArtifactFileNode(owner, file), "cursor": _cursor(file.path)} for file in found[:size]]
    page_info = {"end_cursor": edges[-1]["cursor"] if edges else after, "has_next_page": len(found) > size}
    return {"edges": edges, "page_info": page_info, "total_count": total}


def _cursor(path: str) -> str:
    return base64.urlsafe_b64encode(path.encode()).decode()


def _path_of(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"{cursor!r} is not a cursor of ours") from error
