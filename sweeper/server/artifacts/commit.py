"""An artifact's way out of the unfinished, and out of the world: commit, deletion, and what is done at the start."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sweeper.server.artifacts import collections, manifests
from sweeper.server.artifacts.blobs import STALE_S, BlobStore
from sweeper.server.errors import RequestError
from sweeper.server.store import artifact_collections, artifact_files, artifacts
from sweeper.server.store.artifact_collections import Collection
from sweeper.server.store.artifact_files import ArtifactFile, Manifest
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.lines import MAX_INTEGER


@dataclass(frozen=True, slots=True)
class Contents:
    """What an artifact will be.

    Attributes:
        files: Its files.
        manifest: The MD5 of its manifest, hexadecimal.
        digest: Its digest, if it is not the one its client computed.
    """

    files: list[ArtifactFile]
    manifest: str
    digest: str | None = None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        # sizes of references are whatever the client says: their sum may be beyond what a column holds
        return min(sum(file.size for file in self.files), MAX_INTEGER)


def commit(store: Store, blobs: BlobStore, artifact_id: int, *, now: float) -> Artifact:
    """Make an artifact the next version of its collection, if all it names is here; a second time, do nothing.

    Raises:
        RequestError: Its manifest or a file has not been uploaded, or is not what it should be.
    """
    with store.read() as db:
        artifact = artifacts.get(db, artifact_id)
        collection = artifact_collections.get(db, artifact.collection_id)
        uploaded = artifact_files.manifests_of(db, artifact_id)
        layers = [_base(db, uploaded[-1])] if uploaded and uploaded[-1].type == manifests.INCREMENTAL else []
    if artifact.state == artifacts.COMMITTED:
        return artifact
    if not uploaded:
        raise RequestError("an artifact cannot be committed before its manifest is uploaded")
    # read and looked for outside of the transaction: a big manifest takes its time, and others want to write
    layers += _own_layers(blobs, collection.project_id, uploaded)
    contents = _read(blobs, collection.project_id, [layer for layer in layers if layer])
    _check(blobs, collection.project_id, contents.files)
    blobs.settle(collection.project_id, {contents.manifest, *(file.md5 for file in contents.files if file.md5)})
    with store.write() as db:
        return _finish(db, blobs, collection, artifact_id, contents, now=now)


def _base(db: Connection, manifest: Manifest) -> str:
    """Give the manifest that an incremental one builds on; empty for the first of a collection."""
    return "" if manifest.base_id is None else artifacts.get(db, manifest.base_id).manifest


def _own_layers(blobs: BlobStore, project_id: int, uploaded: list[Manifest]) -> list[str]:
    """Give the manifest written last; of an artifact that several runs fill, each run's that was uploaded."""
    if uploaded[-1].type != manifests.PATCH:
        return [uploaded[-1].md5]
    parts = [part.md5 for part in uploaded if part.type == manifests.PATCH]
    return [md5 for md5 in parts if blobs.size(project_id, md5) is not None] or parts[-1:]


def _read(blobs: BlobStore, project_id: int, layers: list[str]) -> Contents:
    missing = [md5 for md5 in layers if blobs.size(project_id, md5) is None]
    if missing:
        raise RequestError(f"the manifest with MD5 {missing[0]} was announced and never uploaded")
    parts = [manifests.parse_manifest(blobs.read(project_id, md5)) for md5 in layers]
    whole: dict[str, Any] = manifests.merged(parts)
    files = manifests.entries(whole["contents"])
    if len(layers) == 1:
        return Contents(files, layers[0])
    manifest = blobs.write(project_id, manifests.dump_manifest(whole))
    return Contents(files, manifest, manifests.digest_of(whole["contents"]))


def _check(blobs: BlobStore, project_id: int, files: Iterable[ArtifactFile]) -> None:
    for file in files:
        if file.md5 and blobs.size(project_id, file.md5) is None:
            raise RequestError(f"{file.path!r} is in the manifest and was never uploaded")


def _finish(
    db: Connection,
    blobs: BlobStore,
    collection: Collection,
    artifact_id: int,
    contents: Contents,
    *,
    now: float,
) -> Artifact:
    artifact = artifacts.get(db, artifact_id)
    if artifact.state == artifacts.COMMITTED:  # the same request, sent again while the first was read
        return artifact
    kept = artifact_files.announced(db, artifact_id)
    # what nobody kept until here may have gone with another artifact since it was looked for
    _check(blobs, collection.project_id, [file for file in contents.files if file.md5 not in kept])
    artifact_files.replace_all(db, artifact_id, contents.files)
    collections.enrol(db, collection, artifact_id, now=now)
    collections.give_aliases(db, collection.id, artifact_id, json.loads(artifact.asked_aliases))
    return artifacts.update(
        db,
        artifact_id,
        now=now,
        state=artifacts.COMMITTED,
        digest=contents.digest or artifact.digest,
        size=contents.size,
        file_count=len(contents.files),
        manifest=contents.manifest,
    )


def delete(store: Store, blobs: BlobStore, choose: Callable[[Connection], Iterable[Artifact]]) -> None:
    """Delete artifacts, and what on disk no other artifact of their project needs.

    Args:
        store: The database.
        blobs: Where contents lie.
        choose: Gives the artifacts, and refuses by raising; called inside the transaction.
    """
    loose: set[tuple[int, str]] = set()
    with store.write() as db:
        for artifact in list(choose(db)):
            project_id = artifact_collections.get(db, artifact.collection_id).project_id
            loose |= {(project_id, md5) for md5 in artifact_files.contents_of(db, artifact.id)}
            forget(db, artifact.id)
    if not loose:
        return
    # rows first: a server killed here leaves contents that nobody needs, which a later start sweeps out
    with store.write() as db:  # uploads are announced in here too: none can begin to need one meanwhile
        for project_id, md5 in loose:
            if not artifact_files.needed(db, project_id, md5):
                blobs.remove(project_id, md5)


def forget(db: Connection, artifact_id: int) -> None:
    """Delete an artifact from the database; what it held lies on."""
    led = [place for place, alias in artifact_collections.aliases_of(db, artifact_id) if alias == collections.LATEST]
    artifacts.delete(db, artifact_id)
    for collection_id in led:
        _pass_on_latest(db, collection_id)


def _pass_on_latest(db: Connection, collection_id: int) -> None:
    """Make the newest version left the latest one."""
    left = artifact_collections.versions_of(db, collection_id)
    if left:
        collections.give_aliases(db, collection_id, left[0].artifact_id, [collections.LATEST])


def tidy(store: Store, blobs: BlobStore, *, now: float) -> None:
    """Give up what was begun long ago and never committed; for the start of the server."""
    with store.write() as db:
        artifacts.delete_pending(db, before=now - STALE_S)
        artifact_collections.delete_unused(db)
    with store.read() as db:
        blobs.clean(lambda project_id, md5: artifact_files.needed(db, project_id, md5), now=now)
