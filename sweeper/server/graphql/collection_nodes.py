"""GraphQL's types that gather artifacts: ArtifactType, both kinds of ArtifactCollection, and a membership in one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sweeper.server.artifacts import collections
from sweeper.server.graphql.artifact_file_nodes import file_connection
from sweeper.server.graphql.context import Context, global_id
from sweeper.server.graphql.node import Node
from sweeper.server.graphql.pagination import MAX_PAGE, connection
from sweeper.server.store import artifact_collections, artifacts
from sweeper.server.store.artifact_collections import Collection, Membership
from sweeper.server.store.artifacts import Artifact, Version
from sweeper.server.store.database import Connection
from sweeper.server.store.list_filters import Listing, named
from sweeper.server.store.projects import Project


def alias_node(collection: Collection, alias: str) -> dict[str, Any]:
    """Give GraphQL's ArtifactAlias, with the row of the collection in which it holds."""
    name = global_id("ArtifactAlias", str(collection.id), alias)
    return {"id": name, "alias": alias, "artifact_collection": collection}


def tag_nodes(tags: str) -> list[dict[str, Any]]:
    """Give GraphQL's Tags of a JSON list."""
    return [{"id": global_id("Tag", tag), "name": tag} for tag in json.loads(tags)]


@dataclass(frozen=True, slots=True)
class TypeOfArtifacts:
    """A row of a type, which no table has: it is there as long as a collection of a project has it.

    Attributes:
        project_id: The project.
        name: What users call it: dataset, model.
        created_at: When it was first used, in seconds since 1970.
    """

    project_id: int
    name: str
    created_at: float


class ArtifactTypeNode(Node[TypeOfArtifacts]):
    """GraphQL's ArtifactType."""

    description = None

    def id(self) -> str:
        place = self.context.project(self.stored.project_id)
        return global_id("ArtifactType", self.stored.name, place.name, place.entity)

    def artifact(self, name: str) -> Artifact | None:
        """Find an artifact of this type."""
        with self.context.store.read() as db:
            found = find_membership(db, self.stored.project_id, name)
            if found is None or artifact_collections.get(db, found.collection_id).type != self.stored.name:
                return None
            return artifacts.get(db, found.artifact_id)

    def artifact_collection(self, name: str) -> Collection | None:
        """Find a collection of this type."""
        with self.context.store.read() as db:
            found = find_collection(db, self.stored.project_id, name)
        return found if found and found.type == self.stored.name else None

    def artifact_sequence(self, name: str) -> Collection | None:
        """Find a collection of this type that is no portfolio."""
        found = self.artifact_collection(name)
        return found if found and found.kind == artifact_collections.SEQUENCE else None

    def artifact_collections(self, **page: Any) -> dict[str, Any]:
        """List the collections of this type."""
        return collection_connection(self.context, self.stored.project_id, self.stored.name, **page)


class CollectionNode(Node[Collection]):
    """GraphQL's ArtifactSequence and ArtifactPortfolio."""

    state = "READY"  # W&B's own also has DELETED, which here is no row any more

    def id(self) -> str:
        return global_id("ArtifactCollection", str(self.stored.id))

    def project(self) -> Project:
        return self.context.project(self.stored.project_id)

    def type(self) -> TypeOfArtifacts:
        return type_of(self.stored)

    def default_artifact_type(self) -> TypeOfArtifacts:
        """What its artifacts are, by the name that the SDK (0.31.0) asks for."""
        return self.type()

    def tags(self, first: int | None = None) -> dict[str, Any]:  # noqa: ARG002 - there are few
        return {"edges": [{"node": tag} for tag in tag_nodes(self.stored.tags)]}

    def aliases(self, first: int | None = None, after: str | None = None) -> dict[str, Any]:
        """List the aliases of its versions."""
        with self.context.store.read() as db:
            found = artifact_collections.aliases_in(db, self.stored.id)
        nodes = [alias_node(self.stored, alias) for alias in found]
        return connection(nodes, lambda node: str(node["alias"]), first=first, after=after, default=MAX_PAGE)

    def latest_artifact(self) -> Artifact | None:
        with self.context.store.read() as db:
            versions = artifact_collections.versions_of(db, self.stored.id)
            return artifacts.get(db, versions[0].artifact_id) if versions else None

    def artifact_membership(self, alias_name: str | None = None) -> Membership | None:
        """Find a version by number or alias."""
        with self.context.store.read() as db:
            return collections.resolve(db, self.stored.id, alias_name or collections.LATEST)

    def artifacts(
        self,
        first: int | None = None,
        after: str | None = None,
        order: str | None = None,
        filters: str | None = None,
    ) -> dict[str, Any]:
        """List its versions, the newest first unless asked otherwise; the SDK filters for committed ones, all are."""
        with self.context.store.read() as db:
            versions = artifacts.versions(db, self.stored.id)
        found = _VERSIONS.chosen(versions, filters, order, self.context.budget)
        listed = connection(found, lambda version: str(version.number), first=first, after=after)
        for edge in listed["edges"]:
            version = edge["node"]
            edge.update(node=version.artifact, version=f"v{version.number}")
        return listed


class MembershipNode(Node[Membership]):
    """GraphQL's ArtifactCollectionMembership: an artifact as a version of a collection."""

    def id(self) -> str:
        return global_id("ArtifactCollectionMembership", str(self.stored.collection_id), str(self.stored.artifact_id))

    def version_index(self) -> int:
        return self.stored.version

    def aliases(self) -> list[dict[str, Any]]:
        """Its aliases in this collection."""
        collection = self.artifact_collection()
        with self.context.store.read() as db:
            found = artifact_collections.aliases_of(db, self.stored.artifact_id)
        return [alias_node(collection, alias) for collection_id, alias in found if collection_id == collection.id]

    def artifact_collection(self) -> Collection:
        with self.context.store.read() as db:
            return artifact_collections.get(db, self.stored.collection_id)

    def artifact(self) -> Artifact:
        with self.context.store.read() as db:
            return artifacts.get(db, self.stored.artifact_id)

    def files(self, **page: Any) -> dict[str, Any]:
        """List its files."""
        return file_connection(self.context, self.artifact(), **page)


_COLLECTIONS: Listing[Collection] = Listing(
    "artifact collections",
    {
        **named("id"),
        **named("name"),
        **named("type"),
        **named("description"),
        **named("created_at", "createdAt"),
        **named("updated_at", "updatedAt"),
        **dict.fromkeys(("tag", "tags"), lambda found: json.loads(found.tags)),
        **dict.fromkeys(("state",), lambda _: CollectionNode.state),
    },
)

_VERSIONS: Listing[Version] = Listing(
    "versions of artifacts",
    {
        **named("version", "versionIndex", "version_index", attribute="number"),
        **named("alias", "aliases", attribute="aliases"),
        **named("id", attribute="artifact.id"),
        **named("state", attribute="artifact.state"),
        **named("digest", attribute="artifact.digest"),
        **named("size", attribute="artifact.size"),
        **named("description", attribute="artifact.description"),
        **named("file_count", "fileCount", attribute="artifact.file_count"),
        **named("created_at", "createdAt", attribute="artifact.created_at"),
        **named("updated_at", "updatedAt", attribute="artifact.updated_at"),
        **dict.fromkeys(("tag", "tags"), lambda version: json.loads(version.artifact.tags)),
    },
)


def type_of(collection: Collection) -> TypeOfArtifacts:
    """Give the row of the type that a collection's artifacts have."""
    return TypeOfArtifacts(collection.project_id, collection.type, collection.created_at)


def find_collection(db: Connection, project_id: int, name: str) -> Collection | None:
    """Find a collection of a project, once it has had a version."""
    found = artifact_collections.find(db, project_id, name)
    return found if found and found.next_version else None


def find_membership(db: Connection, project_id: int, name: str) -> Membership | None:
    """Find an artifact of a project by `name:alias`, `name:v3` or `name`, which is its latest."""
    collection_name, _, alias = name.partition(":")
    found = find_collection(db, project_id, collection_name)
    return collections.resolve(db, found.id, alias or collections.LATEST) if found else None


def collection_connection(
    context: Context,
    project_id: int,
    artifact_type: str | None = None,
    *,
    first: int | None = None,
    after: str | None = None,
    filters: str | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    """List a project's collections, the newest first unless asked otherwise."""
    with context.store.read() as db:
        found = artifact_collections.of_project(db, project_id, artifact_type)
    chosen = _COLLECTIONS.chosen(found, filters, order, context.budget)
    return connection(chosen, lambda stored: str(stored.id), first=first, after=after)
