"""What projects and runs give out of their artifacts."""

from __future__ import annotations

from typing import Any

from sweeper.server.graphql.artifact_nodes import ArtifactTypeNode, MembershipNode, artifact_in, find_collection
from sweeper.server.graphql.context import Context
from sweeper.server.graphql.pagination import connection
from sweeper.server.graphql.run_nodes import PAGE
from sweeper.server.store import artifact_collections, artifacts, projects


def type_connection(
    context: Context, place: projects.Project, *, first: int | None = None, after: str | None = None, **_: Any
) -> dict[str, Any]:
    """List the types of a project's artifacts."""
    with context.store.read() as db:
        found = artifact_collections.types_of(db, place.id)
    return connection(
        found,
        lambda pair: ArtifactTypeNode(context, place, *pair),
        lambda pair: pair[0],
        first=first,
        after=after,
        default=PAGE,
    )


def find_type(context: Context, place: projects.Project, name: str) -> ArtifactTypeNode | None:
    """Find a type of a project's artifacts."""
    with context.store.read() as db:
        since = dict(artifact_collections.types_of(db, place.id)).get(name)
    return ArtifactTypeNode(context, place, name, since) if since is not None else None


def find_membership(context: Context, place: projects.Project, name: str) -> MembershipNode | None:
    """Find an artifact by `name:alias`, `name:v3` or `name`, which is its latest."""
    collection_name, _, alias = name.partition(":")
    collection = find_collection(context, place, collection_name)
    return collection.artifact_membership(alias) if collection else None


def of_run(
    context: Context, run_id: int, role: str, *, first: int | None = None, after: str | None = None
) -> dict[str, Any]:
    """List what a run made or used."""
    with context.store.read() as db:
        found = artifacts.of_run(db, run_id, role)
    return connection(
        found,
        lambda stored: artifact_in(context, stored),
        lambda stored: str(stored.id),
        first=first,
        after=after,
        default=PAGE,
    )
