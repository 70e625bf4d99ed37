"""What all fields of GraphQL's Query and Mutation share: who asks, and where."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sweeper.server import projects
from sweeper.server.context import Context
from sweeper.server.names import UNCATEGORIZED


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

    def find_project(self, db: sqlite3.Connection, entity: str | None, name: str | None) -> projects.Project | None:
        """Find the project a request means."""
        return projects.find(db, self.entity_of(entity), name or UNCATEGORIZED)

    def ensure_project(self, db: sqlite3.Connection, entity: str | None, name: str | None) -> projects.Project:
        """Find the project a request means, or make it."""
        return projects.ensure(db, self.entity_of(entity), name or UNCATEGORIZED, now=self.context.now)
