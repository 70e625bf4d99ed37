"""GraphQL's Query and Mutation: what the SDK asks for, and all that it changes (0.31.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sweeper.server.errors import RequestError
from sweeper.server.graphql import inputs
from sweeper.server.graphql.artifact_operations import ArtifactOperations
from sweeper.server.graphql.collection_operations import CollectionOperations
from sweeper.server.graphql.context import global_id
from sweeper.server.graphql.entity_nodes import entity_node, user_node
from sweeper.server.graphql.pagination import MAX_PAGE, connection
from sweeper.server.graphql.project_nodes import RESTRICTED
from sweeper.server.graphql.run_actions import RunActions
from sweeper.server.graphql.run_operations import RunOperations
from sweeper.server.graphql.scheduler_operations import SchedulerOperations
from sweeper.server.graphql.sweep_changes import SweepChanges
from sweeper.server.graphql.sweep_operations import SweepOperations
from sweeper.server.rules import rights
from sweeper.server.store import custom_charts, projects, users
from sweeper.server.store.projects import Project

FEATURES = (
    "ARTIFACT_COLLECTIONS_FILTERING_SORTING",
    "ARTIFACT_REGISTRY_SEARCH",
    "FILESTREAM_GZIP",
    "SWEEPS_LOCAL_SCHEDULER",
    "SWEEPS_QUERY_FILTERING",
    "TOTAL_COUNT_IN_FILE_CONNECTION",
)
"""Of wandb_internal.ServerFeature (0.31.0).

Without the last `list(artifact.files())` fails in the SDK; with that of registries who looks for one reads what we say
of them, without it that the server is to be upgraded.
"""


@dataclass(frozen=True, slots=True)
class Operations(
    SweepOperations,
    SweepChanges,
    RunOperations,
    RunActions,
    SchedulerOperations,
    ArtifactOperations,
    CollectionOperations,
):
    """The root of every request: its methods are the fields of Query and Mutation."""

    def viewer(self) -> dict[str, Any]:
        """Say who asks."""
        return user_node(self.context, self.context.user)

    def server_info(self) -> dict[str, Any]:
        """Announce few optional features: each one changes which requests come."""
        versions = {"min_cli_version": "0.15.0", "max_cli_version": "0.31.0"}  # `wandb verify` compares with its own
        features = [{"name": name, "is_enabled": True} for name in FEATURES]
        return {"cli_version_info": versions, "latest_local_version_info": None, "features": features}

    def entity(self, name: str | None = None) -> dict[str, Any]:
        """Describe an entity."""
        return entity_node(self.context, self.entity_of(name))

    def organization(self, name: str | None = None) -> None:  # noqa: ARG002
        """Have no organizations."""
        return

    def project(self, name: str | None = None, entity_name: str | None = None) -> Project | None:
        """Find a project."""
        with self.context.store.read() as db:
            return self.find_project(db, entity_name, name)

    def model(self, name: str | None = None, entity_name: str | None = None) -> Project | None:
        """Find a project, by the older name of the field."""
        return self.project(name, entity_name)

    def models(
        self, entity_name: str | None = None, after: str | None = None, first: int | None = None
    ) -> dict[str, Any]:
        """List the projects of an entity."""
        with self.context.store.read() as db:
            found = projects.all_of(db, self.entity_of(entity_name))
        return connection(found, lambda project: project.name, first=first, after=after, default=MAX_PAGE)

    def users(self, query: str | None = None) -> dict[str, Any]:
        """Find users by a part of their names; all of them without one."""
        with self.context.store.read() as db:
            found = users.search(db, query or "")
        return {"edges": [{"node": user_node(self.context, user)} for user in found]}

    def create_custom_chart(self, fields: object) -> dict[str, Any]:
        """Keep the specification of a chart; one of the same name is replaced."""
        sent = inputs.read(inputs.CustomChart, fields)
        with self.context.store.write() as db:
            owner = users.find(db, sent.entity)
            rights.check(self.context.user, f"what {sent.entity} has", [owner.id] if owner else [])
            number = custom_charts.keep(db, **sent.model_dump())
        return {"chart": {"id": global_id("CustomChart", str(number))}}

    def upsert_model(self, fields: object) -> dict[str, Any]:
        """Create a project; one that is restricted is its maker's alone, from its beginning."""
        sent = inputs.read(inputs.UpsertModel, fields)
        with self.context.store.write() as db:
            known = self.find_project(db, sent.entity_name, sent.name)
            if known is not None and sent.access == RESTRICTED and not known.private:
                raise RequestError(f"project {known.entity}/{known.name} is there already, and everybody's", 409)
            project = self.ensure_project(db, sent.entity_name, sent.name, private=sent.access == RESTRICTED)
        return {"project": project, "model": project, "inserted": known is None}
