"""What all fields of GraphQL's Query and Mutation share: who asks, and where."""

from __future__ import annotations

from dataclasses import dataclass

from sweeper.server.errors import NotFoundError
from sweeper.server.graphql.context import Context, parts_of
from sweeper.server.names import UNCATEGORIZED
from sweeper.server.rules import deletion, rights
from sweeper.server.store import projects, runs
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun


@dataclass(frozen=True, slots=True)
class Root:
    """A request, as its fields see it.

    Attributes:
        context: Who asks, when, and the parts of the server.
    """

    context: Context

    def entity_of(self, name: str | None) -> str:
        """Fill in the asker's own entity; the SDK sends none unless the user set one."""
        return name or self.context.user.name

    def find_project(self, db: Connection, entity: str | None, name: str | None) -> projects.Project | None:
        """Find the project a request means."""
        return projects.find(db, self.entity_of(entity), name or UNCATEGORIZED)

    def run_by_id(self, db: Connection, id_: str) -> tuple[projects.Project, StoredRun]:
        """Find a run, with its project, by its global id.

        Raises:
            NotFoundError: There is none.
        """
        entity, project, name = self._parts_of_run(id_)
        place = projects.find(db, entity, project)
        run = runs.find(db, place.id, name) if place else None
        if place is None or run is None:
            raise NotFoundError(f"no run {entity}/{project}/{name} here")
        return place, run

    def own_run(self, db: Connection, id_: str) -> tuple[projects.Project, StoredRun]:
        """Find a run that the asker may change, with its project, by its global id.

        Raises:
            NotFoundError: There is none.
            ForbiddenError: It is another user's.
        """
        place, run = self.run_by_id(db, id_)
        rights.check_run(self.context.user, run)
        return place, run

    def was_deleted(self, db: Connection, id_: str) -> bool:
        """Whether a global id is that of a run that somebody has deleted already."""
        entity, project, name = self._parts_of_run(id_)
        place = projects.find(db, entity, project)
        return place is not None and deletion.is_deleted(db, place.id, name)

    @staticmethod
    def _parts_of_run(id_: str) -> tuple[str, str, str]:
        # an id cut short names no run, which is what the client is told
        name, project, entity, *_ = [*parts_of(id_, "Run"), "", "", ""]
        return entity, project, name

    def ensure_project(
        self, db: Connection, entity: str | None, name: str | None, *, private: bool = False
    ) -> projects.Project:
        """Find the project a request means, or make it, for all or for the asker alone."""
        owner_id = self.context.user.id if private else None
        place = (self.entity_of(entity), name or UNCATEGORIZED)
        return projects.ensure(db, *place, now=self.context.now, owner_id=owner_id)
