"""GraphQL's Project over the stored one."""

from __future__ import annotations

from typing import Any

from sweeper.server.errors import NotFoundError
from sweeper.server.graphql.collection_nodes import (
    TypeOfArtifacts,
    collection_connection,
    find_collection,
    find_membership,
)
from sweeper.server.graphql.context import global_id
from sweeper.server.graphql.entity_nodes import entity_node
from sweeper.server.graphql.node import Node
from sweeper.server.graphql.pagination import connection
from sweeper.server.graphql.run_nodes import count_runs, run_connection
from sweeper.server.rules import rights, run_transitions
from sweeper.server.store import artifact_collections, artifacts, runs, sweeps
from sweeper.server.store.artifact_collections import Collection, Membership
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.list_filters import Listing, named
from sweeper.server.store.projects import Project
from sweeper.server.store.run_pages import RunList
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

RESTRICTED = "RESTRICTED"
"""W&B's word for a project that not even its whole team sees."""

_SWEEPS: Listing[Sweep] = Listing(
    "sweeps",
    {
        **named("id"),
        **named("name"),
        **named("state"),
        **named("display_name", "displayName"),
        **named("description"),
        **named("created_at", "createdAt"),
        **named("updated_at", "updatedAt"),
        **named("heartbeat_at", "heartbeatAt"),
    },
)


class ProjectNode(Node[Project]):
    """GraphQL's Project."""

    def id(self) -> str:
        """Its global id, made of its names."""
        return global_id("Project", self.stored.name, self.stored.entity)

    def internal_id(self) -> int:
        """Its number; the SDK (0.31.0) makes an integer of it."""
        return self.stored.id

    def entity_name(self) -> str:
        """Whose it is, as wandb.Api() prints it in paths."""
        return self.stored.entity

    def entity(self) -> dict[str, Any]:
        """Whose it is, as the answer to wandb.init has it."""
        return entity_node(self.context, self.stored.entity)

    # there are no teams and no reports: what the SDK's documents ask about them has one answer
    is_benchmark = read_only = False
    description = views = user = None
    repo = docker_image = None

    @property
    def access(self) -> str:
        """Who may see it, in W&B's words: `PRIVATE` is a whole team's."""
        return RESTRICTED if self.stored.private else "PRIVATE"

    triggers = ()  # no automations

    all_views = {"edges": [], "page_info": {"end_cursor": None, "has_next_page": False}}  # noqa: RUF012 - no reports

    def run(self, name: str, **_: Any) -> StoredRun | None:
        """Find a run by id; None lets the SDK say "not found" in its own words."""
        with self.context.store.read() as db:
            return runs.find(db, self.stored.id, name)

    def artifact_collection_membership(self, name: str) -> Membership | None:
        """Find an artifact as a version of its collection."""
        with self.context.store.read() as db:
            return find_membership(db, self.stored.id, name)

    def artifact(self, name: str, **_: Any) -> Artifact | None:
        """Find an artifact; whether that counts as a use makes no difference here."""
        with self.context.store.read() as db:
            found = find_membership(db, self.stored.id, name)
            return artifacts.get(db, found.artifact_id) if found else None

    def artifact_type(self, name: str) -> TypeOfArtifacts | None:
        """Find a type of artifacts."""
        return next((found for found in self._artifact_types() if found.name == name), None)

    def artifact_types(self, first: int | None = None, after: str | None = None, **_: Any) -> dict[str, Any]:
        """List the types of its artifacts."""
        found = self._artifact_types()
        return connection(found, lambda row: row.name, first=first, after=after)

    def _artifact_types(self) -> list[TypeOfArtifacts]:
        with self.context.store.read() as db:
            found = artifact_collections.types_of(db, self.stored.id)
        return [TypeOfArtifacts(self.stored.id, name, since) for name, since in found]

    def artifact_collection(self, name: str) -> Collection | None:
        """Find a collection of artifacts."""
        with self.context.store.read() as db:
            return find_collection(db, self.stored.id, name)

    def artifact_collections(self, **page: Any) -> dict[str, Any]:
        """List its collections of artifacts."""
        return collection_connection(self.context, self.stored.id, **page)

    def bucket(self, name: str, missing_ok: bool = False) -> StoredRun | None:
        """Find a run to resume."""
        found = self.run(name)
        if found is None and not missing_ok:
            raise NotFoundError(f"no run {name!r} in {self.stored.entity}/{self.stored.name}")
        if found is not None and rights.may_take_up(self.context.user, found):
            # the SDK asks for a bucket only when a process is about to go on with a run
            with self.context.store.write() as db:
                run_transitions.asks_to_resume(db, found, now=self.context.now)
        return found

    def runs(self, **arguments: Any) -> dict[str, Any]:
        """List its runs."""
        return run_connection(self.context, self.stored.id, **arguments)

    def run_count(self, filters: str | None = None) -> int:
        """Count its runs."""
        return count_runs(self.context, RunList(self.stored.id, filters or None))

    def sweep(self, sweep_name: str | None = None) -> Sweep | None:
        """Find a sweep by the id users see."""
        with self.context.store.read() as db:
            return sweeps.find(db, sweep_name or "", self.stored.id)

    def total_sweeps(self) -> int:
        """Count its sweeps."""
        return len(self._sweeps())

    def sweeps(self, first: int | None = None, after: str | None = None, filters: str | None = None) -> dict[str, Any]:
        """List its sweeps."""
        found = _SWEEPS.chosen(self._sweeps(), filters, None, self.context.budget)
        return connection(found, lambda sweep: sweep.name, first=first, after=after)

    def _sweeps(self) -> list[Sweep]:
        with self.context.store.read() as db:
            return sweeps.of_project(db, self.stored.id)
