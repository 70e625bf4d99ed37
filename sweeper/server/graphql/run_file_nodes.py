"""GraphQL's File, of a run, and the addresses that files are uploaded to."""

from __future__ import annotations

from dataclasses import dataclass

from sweeper.server.graphql.context import Context, global_id
from sweeper.server.graphql.node import Node
from sweeper.server.rules import rights
from sweeper.server.signing import WRITE_S
from sweeper.server.store.run_files import StoredFile
from sweeper.server.store.runs import StoredRun


@dataclass(frozen=True, slots=True)
class FileOfRun:
    """A row of a file with that of its run."""

    run: StoredRun
    file: StoredFile


class FileNode(Node[FileOfRun]):
    """GraphQL's File, of a run."""

    def _names(self) -> tuple[str, str, str, str]:
        place = self.context.project(self.stored.run.project_id)
        return place.entity, place.name, self.stored.run.name, self.stored.file.path

    def id(self) -> str:
        """Its global id; the path comes last, for only it may hold the colons that part the names."""
        return global_id("File", *self._names())

    def name(self) -> str:
        """Its path within the run."""
        return self.stored.file.path

    def size_bytes(self) -> int:
        return self.stored.file.size

    def mimetype(self) -> str | None:
        """What its name says it is; None where that says nothing, or the file is not there."""
        return self.stored.file.mimetype

    def md5(self) -> str:
        """Its MD5 in base64; empty if the file is not there."""
        return self.stored.file.md5

    def updated_at(self) -> float | None:
        return self.stored.file.updated_at

    def url(self, upload: bool = False) -> str:
        """Where to download it from, or to upload it to."""
        if upload:  # an address to write to is the right to it
            rights.check_run(self.context.user, self.stored.run)
        return upload_url(self.context, *self._names()) if upload else self.context.file_url(*self._names())

    def direct_url(self) -> str:
        """Where to download it from."""
        return self.url()

    def display_name(self) -> str:
        """Its path within the run."""
        return self.stored.file.path

    def storage_path(self) -> str:
        """Where its content lies among the server's files."""
        return "/".join(self._names())

    # the rest of the type is for files of artifacts
    digest = upload_url = upload_headers = upload_multipart_urls = artifact = None


def upload_url(context: Context, entity: str, project: str, run: str, path: str) -> str:
    """Give a signed address to upload a file to; a whole one, wandb-core 0.31.0 fails on a path alone."""
    token = context.sign(WRITE_S, "upload", entity, project, run, path)
    return f"{context.file_url(entity, project, run, path)}?token={token}"
