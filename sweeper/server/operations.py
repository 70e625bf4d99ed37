"""GraphQL's Query and Mutation: what the SDK asks for, and all that it changes (0.31.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sweeper.server import inputs, projects
from sweeper.server.connections import connection
from sweeper.server.nodes import ProjectNode, entity_node, user_node
from sweeper.server.run_operations import RunOperations
from sweeper.server.scheduler_operations import SchedulerOperations
from sweeper.server.sweep_operations import SweepOperations


@dataclass(frozen=True, slots=True)
class Operations(SweepOperations, RunOperations, SchedulerOperations):
    """The root of every request: its methods are the fields of Query and Mutation."""

    def viewer(self) -> dict[str, Any]:
        """Say who asks."""
        return user_node(self.context.user)

    def server_info(self) -> dict[str, Any]:
        """Announce what `wandb sweep-scheduler` asks for, and nothing else: a feature changes which requests come."""
        return {"cli_version_info": {}, "features": [{"name": "SWEEPS_LOCAL_SCHEDULER", "is_enabled": True}]}

    def entity(self, name: str | None = None) -> dict[str, Any]:
        """Describe an entity."""
        return entity_node(self.entity_of(name))

    def organization(self, name: str | None = None) -> None:  # noqa: ARG002
        """Have no organizations."""
        return

    def project(self, name: str | None = None, entity_name: str | None = None) -> ProjectNode | None:
        """Find a project."""
        with self.context.store.read() as db:
            found = self.find_project(db, entity_name, name)
        return ProjectNode(self.context, found) if found else None

    def model(self, name: str | None = None, entity_name: str | None = None) -> ProjectNode | None:
        """Find a project, by the older name of the field."""
        return self.project(name, entity_name)

    def models(
        self, entity_name: str | None = None, after: str | None = None, first: int | None = None
    ) -> dict[str, Any]:
        """List the projects of an entity."""
        with self.context.store.read() as db:
            found = projects.all_of(db, self.entity_of(entity_name))
        return connection(
            found,
            lambda project: ProjectNode(self.context, project),
            lambda project: project.name,
            first=first,
            after=after,
        )

    def upsert_model(self, fields: object) -> dict[str, Any]:
        """Create a project."""
        sent = inputs.read(inputs.UpsertModel, fields)
        with self.context.store.write() as db:
            known = self.find_project(db, sent.entity_name, sent.name)
            project = self.ensure_project(db, sent.entity_name, sent.name)
        node = ProjectNode(self.context, project)
        return {"project": node, "model": node, "inserted": known is None}
