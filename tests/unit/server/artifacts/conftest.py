"""A database in memory and a folder for contents, and what logs artifacts to them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sweeper.server.artifacts import collections, commit, manifests
from sweeper.server.artifacts.blobs import BlobStore
from sweeper.server.store import artifact_collections, artifact_files, artifacts, projects, users
from sweeper.server.store.artifact_collections import Collection
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.database import MEMORY, Store


@dataclass
class Log:
    """Logs artifacts without a wire, step by step."""

    store: Store
    blobs: BlobStore

    def collection(self, name: str = "data") -> Collection:
        """Find a collection of datasets in local/p, made if need be."""
        with self.store.write() as db:
            place = projects.ensure(db, "local", "p", now=0)
            users.ensure_user(db, "local", "k" * 40, now=0)
            return collections.ensure(db, place.id, name, artifact_collections.SEQUENCE, "dataset", now=0)

    def begin(self, name: str = "data", **columns: Any) -> Artifact:
        """Begin an artifact."""
        collection = self.collection(name)
        with self.store.write() as db:
            return artifacts.create(db, collection, "theirs", now=0, user_id=1, **columns)

    def manifest(
        self, artifact: Artifact, contents: dict[str, bytes], kind: str = manifests.FULL, base: int | None = None
    ) -> str:
        """Store a manifest that names these contents; give its MD5."""
        entries = {path: {"digest": digest(content), "size": len(content)} for path, content in contents.items()}
        md5 = self.blobs.write(1, json.dumps({"version": 1, "contents": entries}).encode())
        with self.store.write() as db:
            artifact_files.add_manifest(db, artifact.id, kind, base, md5)
        return md5

    def commit(self, artifact: Artifact, *, now: float = 5) -> Artifact:
        """Commit an artifact."""
        return commit.commit(self.store, self.blobs, artifact.id, now=now)

    def all_of_it(self, name: str = "data", **contents: bytes) -> Artifact:
        """Log an artifact with these contents."""
        artifact = self.begin(name)
        for content in contents.values():
            self.blobs.write(1, content)
        self.manifest(artifact, contents)
        return self.commit(artifact)

    def versions(self, collection_id: int) -> dict[int, list[str]]:
        """The versions of a collection with their aliases."""
        with self.store.read() as db:
            return {
                member.version: sorted(alias for _, alias in artifact_collections.aliases_of(db, member.artifact_id))
                for member in artifact_collections.versions_of(db, collection_id)
            }


def digest(content: bytes) -> str:
    """An MD5 as the SDK writes it."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def md5_of(content: bytes) -> str:
    """An MD5 as files are named."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """What logs artifacts."""
    store = Store(MEMORY)
    (tmp_path / "blobs").mkdir()
    yield Log(store, BlobStore(tmp_path / "blobs"))
    store.close()
