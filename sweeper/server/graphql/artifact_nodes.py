"""GraphQL's Artifact over the stored one."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sweeper.server.artifacts import lifetimes, manifests
from sweeper.server.graphql.artifact_addresses import content_url
from sweeper.server.graphql.artifact_file_nodes import file_connection
from sweeper.server.graphql.collection_nodes import TypeOfArtifacts, alias_node, tag_nodes, type_of
from sweeper.server.graphql.context import global_id
from sweeper.server.graphql.node import Node
from sweeper.server.graphql.pagination import MAX_PAGE, connection
from sweeper.server.store import artifact_collections, artifacts, runs
from sweeper.server.store.artifact_collections import Collection
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.runs import StoredRun


class ArtifactNode(Node[Artifact]):
    """GraphQL's Artifact."""

    # the only one that createArtifact takes
    digest_algorithm = "MANIFEST_MD5"
    commit_hash = None

    def id(self) -> str:
        """Its global id, which stays when it is renamed or linked."""
        return global_id("Artifact", str(self.stored.id))

    @cached_property
    def _collection(self) -> Collection:
        with self.context.store.read() as db:
            return artifact_collections.get(db, self.stored.collection_id)

    def artifact_sequence(self) -> Collection:
        """The collection it was logged to."""
        return self._collection

    def artifact_type(self) -> TypeOfArtifacts:
        return type_of(self._collection)

    def version_index(self) -> int | None:
        """Its number in the collection it was logged to; None before its commit."""
        with self.context.store.read() as db:
            found = artifact_collections.membership(db, self.stored.collection_id, self.stored.id)
        return found.version if found else None

    def ttl_duration_seconds(self) -> int:
        """How long it is to be kept; the SDK reads -1 as "as its project", -2 as "for ever"."""
        return lifetimes.INHERITED if self.stored.ttl_s is None else min(self.stored.ttl_s, artifacts.MAX_TTL_S)

    def ttl_is_inherited(self) -> bool:
        """Whether nobody has said how long it is to be kept."""
        return self.stored.ttl_s is None

    def tags(self) -> list[dict[str, Any]]:
        return tag_nodes(self.stored.tags)

    def aliases(self) -> list[dict[str, Any]]:
        """Its aliases in all collections; in each the version is one too, which SDKs before 0.17 look for."""
        with self.context.store.read() as db:
            members = artifact_collections.memberships_of(db, self.stored.id)
            versions = [(member.collection_id, f"v{member.version}") for member in members]
            return [
                alias_node(artifact_collections.get(db, collection_id), alias)
                for collection_id, alias in [*artifact_collections.aliases_seen(db, self.stored.id), *versions]
            ]

    def artifact_memberships(self) -> dict[str, Any]:
        """List the collections it is in."""
        with self.context.store.read() as db:
            found = artifact_collections.memberships_of(db, self.stored.id)
        return {"edges": [{"node": member} for member in found]}

    def current_manifest(self) -> dict[str, Any] | None:
        """Its manifest; None before its commit."""
        if not self.stored.manifest:
            return None
        url = content_url(self.context, self._collection.project_id, self.stored.manifest)
        name = global_id("ArtifactManifestFile", str(self.stored.id))
        return {"id": name, "file": {"id": name, "direct_url": url, "name": manifests.MANIFEST_NAME}}

    def created_by(self) -> StoredRun | None:
        """The run that logged it first."""
        return next(iter(self._runs(artifacts.OUTPUT)), None)

    def used_by(self) -> dict[str, Any]:
        """List the runs that used it."""
        return connection(self._runs(artifacts.INPUT), lambda run: run.name, default=MAX_PAGE)

    def _runs(self, role: str) -> list[StoredRun]:
        with self.context.store.read() as db:
            return [runs.get(db, run_id) for run_id in artifacts.runs_of(db, self.stored.id, role)]

    def files(self, **page: Any) -> dict[str, Any]:
        """List its files by path, references too."""
        return file_connection(self.context, self.stored, **page)
