"""GraphQL's Artifact and its kin over the stored ones. A field of the schema is an attribute here, in snake_case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sweeper.server.artifacts import collections, manifests
from sweeper.server.graphql.artifact_addresses import content_url
from sweeper.server.graphql.artifact_file_nodes import FileOwner, file_connection
from sweeper.server.graphql.context import Context, global_id, timestamp
from sweeper.server.graphql.pagination import connection
from sweeper.server.graphql.run_nodes import PAGE, RunNode
from sweeper.server.store import artifact_collections, artifacts, projects, runs
from sweeper.server.store.artifact_collections import Collection, Membership
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.database import Connection

TTL_INHERITED = -1


def alias_node(context: Context, db: Connection, collection_id: int, alias: str) -> dict[str, Any]:
    """Give GraphQL's ArtifactAlias."""
    collection = collection_node(context, db, artifact_collections.get(db, collection_id))
    name = global_id("ArtifactAlias", str(collection_id), alias)
    return {"id": name, "alias": alias, "artifact_collection": collection}


def tag_nodes(tags: str) -> list[dict[str, Any]]:
    """Give GraphQL's Tags of a JSON list."""
    return [{"id": global_id("Tag", tag), "name": tag} for tag in json.loads(tags)]


def collection_node(context: Context, db: Connection, stored: Collection) -> CollectionNode:
    """Give GraphQL's ArtifactSequence or ArtifactPortfolio."""
    return CollectionNode(context, stored, projects.get(db, stored.project_id))


def artifact_node(context: Context, db: Connection, stored: Artifact) -> ArtifactNode:
    """Give GraphQL's Artifact."""
    collection = collection_node(context, db, artifact_collections.get(db, stored.collection_id))
    return ArtifactNode(context, stored, collection)


@dataclass(frozen=True, slots=True)
class ArtifactTypeNode:
    """GraphQL's ArtifactType."""

    context: Context
    place: projects.Project
    name: str
    since: float

    description = None

    def id(self) -> str:
        """Its global id."""
        return global_id("ArtifactType", self.name, self.place.name, self.place.entity)

    def created_at(self) -> str | None:
        """When it was first used."""
        return timestamp(self.since)

    def artifact_collection(self, name: str) -> CollectionNode | None:
        """Find a collection of this type."""
        found = find_collection(self.context, self.place, name)
        return found if found and found.stored.type == self.name else None

    def artifact_collections(self, **page: Any) -> dict[str, Any]:
        """List the collections of this type."""
        return collection_connection(self.context, self.place, self.name, **page)


@dataclass(frozen=True, slots=True)
class CollectionNode:
    """GraphQL's ArtifactSequence and ArtifactPortfolio."""

    context: Context
    stored: Collection
    place: projects.Project

    def __getattr__(self, name: str) -> Any:
        if name.endswith("__typename"):  # what graphql-core asks an object for
            return self.stored.kind
        return getattr(self.stored, name)

    state = "READY"

    def id(self) -> str:
        """Its global id."""
        return global_id("ArtifactCollection", str(self.stored.id))

    def project(self) -> object:
        """Its project."""
        from sweeper.server.graphql.project_nodes import ProjectNode  # a project and its artifacts know each other

        return ProjectNode(self.context, self.place)

    def type(self) -> ArtifactTypeNode:
        """What its artifacts are."""
        return ArtifactTypeNode(self.context, self.place, self.stored.type, self.stored.created_at)

    def default_artifact_type(self) -> ArtifactTypeNode:
        """What its artifacts are."""
        return self.type()

    def created_at(self) -> str | None:
        """When it was made."""
        return timestamp(self.stored.created_at)

    def updated_at(self) -> str | None:
        """When it last got a version or was changed."""
        return timestamp(self.stored.updated_at)

    def tags(self, first: int | None = None) -> dict[str, Any]:  # noqa: ARG002 - there are few
        """Its tags."""
        return {"edges": [{"node": tag} for tag in tag_nodes(self.stored.tags)]}

    def aliases(self, first: int | None = None, after: str | None = None) -> dict[str, Any]:
        """List the aliases of its versions."""
        with self.context.store.read() as db:
            nodes = [
                alias_node(self.context, db, self.stored.id, alias)
                for alias in artifact_collections.aliases_in(db, self.stored.id)
            ]
        return connection(nodes, lambda node: node, lambda node: str(node["alias"]), first=first, after=after)

    def latest_artifact(self) -> ArtifactNode | None:
        """Its newest version."""
        with self.context.store.read() as db:
            versions = artifact_collections.versions_of(db, self.stored.id)
            newest = artifacts.get(db, versions[0].artifact_id) if versions else None
            return artifact_node(self.context, db, newest) if newest else None

    def artifact_membership(self, alias_name: str | None = None) -> MembershipNode | None:
        """Find a version by number or alias."""
        with self.context.store.read() as db:
            found = collections.resolve(db, self.stored.id, alias_name or collections.LATEST)
            return MembershipNode(self.context, found, self, artifacts.get(db, found.artifact_id)) if found else None

    def artifacts(self, first: int | None = None, after: str | None = None, order: str | None = None, **_: Any) -> Any:
        """List its versions, the newest first unless asked otherwise; the SDK filters for committed ones, all are."""
        with self.context.store.read() as db:
            versions = artifact_collections.versions_of(db, self.stored.id)
            found = [(member, artifacts.get(db, member.artifact_id)) for member in versions]
        if order and not order.startswith("-"):
            found.reverse()
        listed = connection(
            found,
            lambda pair: (pair[0].version, artifact_in(self.context, pair[1])),
            lambda pair: str(pair[0].version),
            first=first,
            after=after,
            default=PAGE,
        )
        for edge in listed["edges"]:
            number, edge["node"] = edge["node"]
            edge["version"] = f"v{number}"
        return listed


@dataclass(frozen=True, slots=True)
class MembershipNode:
    """GraphQL's ArtifactCollectionMembership: an artifact as a version of a collection."""

    context: Context
    stored: Membership
    collection: CollectionNode
    held: Artifact

    def id(self) -> str:
        """Its global id."""
        return global_id("ArtifactCollectionMembership", str(self.stored.collection_id), str(self.stored.artifact_id))

    def version_index(self) -> int:
        """Its number."""
        return self.stored.version

    def created_at(self) -> str | None:
        """When it became a version."""
        return timestamp(self.stored.created_at)

    def aliases(self) -> list[dict[str, Any]]:
        """Its aliases in this collection."""
        with self.context.store.read() as db:
            return [
                alias_node(self.context, db, collection_id, alias)
                for collection_id, alias in artifact_collections.aliases_of(db, self.stored.artifact_id)
                if collection_id == self.stored.collection_id
            ]

    def artifact_collection(self) -> CollectionNode:
        """The collection."""
        return self.collection

    def artifact(self) -> ArtifactNode:
        """The artifact."""
        return artifact_in(self.context, self.held)

    def files(self, **page: Any) -> dict[str, Any]:
        """List its files."""
        return self.artifact().files(**page)


@dataclass(frozen=True, slots=True)
class ArtifactNode:
    """GraphQL's Artifact."""

    context: Context
    stored: Artifact
    collection: CollectionNode

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stored, name)

    digest_algorithm = "MANIFEST_MD5"
    commit_hash = None

    def id(self) -> str:
        """Its global id."""
        return global_id("Artifact", str(self.stored.id))

    def artifact_sequence(self) -> CollectionNode:
        """The collection it was logged to."""
        return self.collection

    def artifact_type(self) -> ArtifactTypeNode:
        """What it is."""
        return self.collection.type()

    def version_index(self) -> int | None:
        """Its number in the collection it was logged to; None before its commit."""
        with self.context.store.read() as db:
            found = artifact_collections.membership(db, self.stored.collection_id, self.stored.id)
        return found.version if found else None

    def ttl_duration_seconds(self) -> int:
        """How long it is to be kept; the SDK reads -1 as "as its project", -2 as "for ever"."""
        return TTL_INHERITED if self.stored.ttl_s is None else self.stored.ttl_s

    def ttl_is_inherited(self) -> bool:
        """Whether nobody has said how long it is to be kept."""
        return self.stored.ttl_s is None

    def tags(self) -> list[dict[str, Any]]:
        """Its tags."""
        return tag_nodes(self.stored.tags)

    def created_at(self) -> str | None:
        """When it was begun."""
        return timestamp(self.stored.created_at)

    def updated_at(self) -> str | None:
        """When it was last changed."""
        return timestamp(self.stored.updated_at)

    def aliases(self) -> list[dict[str, Any]]:
        """Its aliases in all collections."""
        with self.context.store.read() as db:
            return [
                alias_node(self.context, db, collection_id, alias)
                for collection_id, alias in artifact_collections.aliases_of(db, self.stored.id)
            ]

    def artifact_memberships(self) -> dict[str, Any]:
        """List the collections it is in."""
        with self.context.store.read() as db:
            nodes = [
                MembershipNode(
                    self.context,
                    found,
                    collection_node(self.context, db, artifact_collections.get(db, found.collection_id)),
                    self.stored,
                )
                for found in artifact_collections.memberships_of(db, self.stored.id)
            ]
        return {"edges": [{"node": node} for node in nodes]}

    def current_manifest(self) -> dict[str, Any] | None:
        """Its manifest; None before its commit."""
        if not self.stored.manifest:
            return None
        url = content_url(self.context, self.collection.place.id, self.stored.manifest)
        name = global_id("ArtifactManifestFile", str(self.stored.id))
        return {"id": name, "file": {"id": name, "direct_url": url, "name": manifests.MANIFEST_NAME}}

    def created_by(self) -> RunNode | None:
        """The run that logged it first."""
        return next(iter(self._runs(artifacts.OUTPUT)), None)

    def used_by(self) -> dict[str, Any]:
        """List the runs that used it."""
        nodes = self._runs(artifacts.INPUT)
        return connection(nodes, lambda node: node, lambda node: node.stored.name)

    def _runs(self, role: str) -> list[RunNode]:
        with self.context.store.read() as db:
            found = [runs.get(db, run_id) for run_id in artifacts.runs_of(db, self.stored.id, role)]
            return [RunNode(self.context, run, projects.get(db, run.project_id)) for run in found]

    def files(self, **page: Any) -> dict[str, Any]:
        """List its files by path, references too."""
        return file_connection(FileOwner(self.context, self.stored, self.collection.place.id, self), **page)


def artifact_in(context: Context, stored: Artifact) -> ArtifactNode:
    """Give GraphQL's Artifact outside of a transaction."""
    with context.store.read() as db:
        return artifact_node(context, db, stored)


def find_collection(context: Context, place: projects.Project, name: str) -> CollectionNode | None:
    """Find a collection of a project, once it has had a version."""
    with context.store.read() as db:
        found = artifact_collections.find(db, place.id, name)
    return CollectionNode(context, found, place) if found and found.next_version else None


def collection_connection(
    context: Context,
    place: projects.Project,
    artifact_type: str | None = None,
    *,
    first: int | None = None,
    after: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """List a project's collections; the SDK sends filters and orders only to servers that announce to know them."""
    with context.store.read() as db:
        found = artifact_collections.of_project(db, place.id, artifact_type)
    return connection(
        found,
        lambda stored: CollectionNode(context, stored, place),
        lambda stored: str(stored.id),
        first=first,
        after=after,
        default=PAGE,
    )
