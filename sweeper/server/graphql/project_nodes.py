"""GraphQL's Project, Sweep, Agent, File and smaller types over the stored ones; runs are in run_nodes.py.

A field of the schema is an attribute here, in snake_case; what needs no work is found on `stored`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sweeper.run import SweepState, best_run
from sweeper.server.errors import NotFoundError
from sweeper.server.graphql import artifact_lists
from sweeper.server.graphql.artifact_nodes import (
    ArtifactNode,
    ArtifactTypeNode,
    CollectionNode,
    MembershipNode,
    collection_connection,
    find_collection,
)
from sweeper.server.graphql.context import Context, global_id, timestamp
from sweeper.server.graphql.pagination import connection
from sweeper.server.graphql.run_nodes import PAGE, RunNode
from sweeper.server.rules import own_scheduler, prior_runs, run_transitions
from sweeper.server.store import projects as project_table
from sweeper.server.store import run_filters, runs, seen_runs, sweeps
from sweeper.server.store.run_filters import Candidate
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Agent, Sweep
from sweeper.server.store.users import User


def user_node(user: User) -> dict[str, Any]:
    """Give GraphQL's User."""
    return {
        "id": global_id("User", user.name),
        "name": user.name,
        "username": user.name,
        "entity": user.name,
        "email": "",
        "admin": False,
        "flags": "{}",
        "photo_url": None,
        "deleted_at": None,
        "api_keys": {"edges": []},
        "teams": {"edges": []},
    }


def entity_node(name: str) -> dict[str, Any]:
    """Give GraphQL's Entity; no organization, or the SDK would ask a cloud address about it."""
    return {"id": global_id("Entity", name), "name": name, "organization": None}


@dataclass(frozen=True, slots=True)
class ProjectNode:
    """GraphQL's Project."""

    context: Context
    stored: project_table.Project

    def id(self) -> str:
        """Its global id."""
        return global_id("Project", self.stored.name, self.stored.entity)

    def internal_id(self) -> int:
        """Its number."""
        return self.stored.id

    def name(self) -> str:
        """Its name."""
        return self.stored.name

    def entity_name(self) -> str:
        """Whose it is."""
        return self.stored.entity

    def entity(self) -> dict[str, Any]:
        """Whose it is."""
        return entity_node(self.stored.entity)

    def created_at(self) -> str | None:
        """When it was made."""
        return timestamp(self.stored.created_at)

    is_benchmark = read_only = False
    description = views = user = None
    access = "PRIVATE"

    all_views = {"edges": [], "page_info": {"end_cursor": None, "has_next_page": False}}  # noqa: RUF012 - no reports

    def run(self, name: str, **_: Any) -> RunNode | None:
        """Find a run by id; None lets the SDK say "not found" in its own words."""
        with self.context.store.read() as db:
            found = runs.find(db, self.stored.id, name)
        return RunNode(self.context, found, self.stored) if found else None

    def artifact_collection_membership(self, name: str) -> MembershipNode | None:
        """Find an artifact as a version of a collection."""
        return artifact_lists.find_membership(self.context, self.stored, name)

    def artifact(self, name: str) -> ArtifactNode | None:
        """Find an artifact."""
        found = self.artifact_collection_membership(name)
        return found.artifact() if found else None

    def artifact_type(self, name: str) -> ArtifactTypeNode | None:
        """Find a type of artifacts."""
        return artifact_lists.find_type(self.context, self.stored, name)

    def artifact_types(self, **page: Any) -> dict[str, Any]:
        """List the types of its artifacts."""
        return artifact_lists.type_connection(self.context, self.stored, **page)

    def artifact_collection(self, name: str) -> CollectionNode | None:
        """Find a collection of artifacts."""
        return find_collection(self.context, self.stored, name)

    def artifact_collections(self, **page: Any) -> dict[str, Any]:
        """List its collections of artifacts."""
        return collection_connection(self.context, self.stored, **page)

    def bucket(self, name: str, missing_ok: bool = False) -> RunNode | None:
        """Find a run to resume."""
        found = self.run(name)
        if found is None and not missing_ok:
            raise NotFoundError(f"no run {name!r} in {self.stored.entity}/{self.stored.name}")
        if found is not None:
            with self.context.store.write() as db:
                run_transitions.asks_to_resume(db, found.stored)
        return found

    def runs(self, **arguments: Any) -> dict[str, Any]:
        """List its runs."""
        return run_connection(self.context, self.stored, **arguments)

    def run_count(self, filters: str | None = None) -> int:
        """Count its runs."""
        return len(candidates(self.context, self.stored, filters, None))

    def sweep(self, sweep_name: str | None = None) -> SweepNode | None:
        """Find a sweep by the id users see."""
        with self.context.store.read() as db:
            found = sweeps.find(db, sweep_name or "", self.stored.id)
        return SweepNode(self.context, found, self.stored) if found else None

    def total_sweeps(self) -> int:
        """Count its sweeps."""
        return len(self._sweeps())

    def sweeps(self, first: int | None = None, after: str | None = None, filters: str | None = None) -> dict[str, Any]:  # noqa: ARG002
        """List its sweeps; the SDK sends `filters` only to servers that announce SWEEPS_QUERY_FILTERING."""
        return connection(
            self._sweeps(),
            lambda sweep: SweepNode(self.context, sweep, self.stored),
            lambda sweep: sweep.name,
            first=first,
            after=after,
            default=PAGE,
        )

    def _sweeps(self) -> list[Sweep]:
        with self.context.store.read() as db:
            return sweeps.of_project(db, self.stored.id)


@dataclass(frozen=True, slots=True)
class SweepNode:
    """GraphQL's Sweep."""

    context: Context
    stored: Sweep
    place: project_table.Project

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stored, name)

    early_stop_job_running = False
    controller = scheduler = None

    def id(self) -> str:
        """Its global id."""
        return global_id("Sweep", self.stored.name, self.place.name, self.place.entity)

    def method(self) -> str:
        """How it searches."""
        return self.stored.definition.method

    def config(self) -> str:
        """The definition, as it was sent."""
        return self.stored.definition_text

    def created_at(self) -> str | None:
        """When it was made."""
        return timestamp(self.stored.created_at)

    def updated_at(self) -> str | None:
        """When its state or definition last changed."""
        return timestamp(self.stored.updated_at)

    def heartbeat_at(self) -> str | None:
        """When an agent was last heard."""
        return timestamp(self.stored.heartbeat_at)

    def project(self) -> ProjectNode:
        """Its project."""
        return ProjectNode(self.context, self.place)

    def controller_run_name(self) -> str | None:
        """The run that its scheduler logs into; None for a sweep that the server searches."""
        if self.stored.definition.scheduler is None:
            return None
        with self.context.store.write() as db:
            return own_scheduler.ensure_controller(
                db, self.stored, user_id=self.context.user.id, now=self.context.now
            ).name

    def run_count(self) -> int:
        """Count the runs it made, in any state."""
        with self.context.store.read() as db:
            return runs.count(db, self.stored.id)

    def run_count_expected(self) -> int | None:
        """How many runs it will have; None if it goes on until stopped."""
        with self.context.store.read() as db:
            return prior_runs.expected_runs(db, self.stored)

    def best_loss(self) -> float | None:
        """The best value of its metric, whichever its goal."""
        with self.context.store.read() as db:
            known = seen_runs.for_search(db, self.stored)
        goal = self.stored.definition.goal
        best = best_run([run for run in known if not run.prior], goal)
        return best.best(goal) if best else None

    def runs(self, filters: str | None = None, **arguments: Any) -> dict[str, Any]:
        """List its runs, with those attached to it: their `sweepName` tells them apart."""
        return run_connection(self.context, self.place, sweep=self.stored, filters=filters, **arguments)

    def prior_runs(self, first: int | None = None, after: str | None = None) -> dict[str, Any]:
        """List the earlier runs attached to it."""
        with self.context.store.read() as db:
            found = runs.attached_to(db, self.stored.id)
        return connection(
            found,
            lambda run: RunNode(self.context, run, self.place),
            lambda run: run.name,
            first=first,
            after=after,
            default=PAGE,
        )

    def agent(self, agent_name: str | None = None) -> AgentNode:
        """Find one of its agents."""
        with self.context.store.read() as db:
            found = sweeps.find_agent(db, agent_name or "")
        if found is None or found.sweep_id != self.stored.id:
            raise NotFoundError(f"sweep {self.stored.name} has no agent {agent_name!r}")
        return AgentNode(self.context, found, self)

    def agents(self, first: int | None = None) -> dict[str, Any]:
        """List its agents."""
        with self.context.store.read() as db:
            found = sweeps.agents_of(db, self.stored.id)
        return connection(
            found, lambda agent: AgentNode(self.context, agent, self), lambda agent: agent.name, first=first
        )


@dataclass(frozen=True, slots=True)
class AgentNode:
    """GraphQL's Agent."""

    context: Context
    stored: Agent
    sweep: SweepNode

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stored, name)

    def id(self) -> str:
        """The id its client was given."""
        return self.stored.name

    def state(self) -> str:
        """RUNNING while it is heard: as long as the reaper leaves its runs alone."""
        heard = self.context.dispatcher.policy.hears(self.stored.heartbeat_at, now=self.context.now)
        return "RUNNING" if heard and self.sweep.stored.state is not SweepState.FINISHED else "FINISHED"

    def created_at(self) -> str | None:
        """When it registered."""
        return timestamp(self.stored.created_at)

    def heartbeat_at(self) -> str | None:
        """When it was last heard."""
        return timestamp(self.stored.heartbeat_at)

    def total_runs(self) -> int:
        """Count the runs it was given."""
        return len(self._runs())

    def runs(self, first: int | None = None, after: str | None = None, **_: Any) -> dict[str, Any]:
        """List the runs it was given."""
        return connection(
            self._runs(),
            lambda run: RunNode(self.context, run, self.sweep.place),
            lambda run: run.name,
            first=first,
            after=after,
            default=PAGE,
        )

    def _runs(self) -> list[StoredRun]:
        with self.context.store.read() as db:
            return runs.where(db, "agent_id = ?", (self.stored.id,))


def candidates(
    context: Context, place: project_table.Project, wanted: str | None, order: str | None, sweep: Sweep | None = None
) -> list[Candidate]:
    """Read the runs of a project, or those a sweep sees, that a filter holds for, in the order asked for."""
    with context.store.read() as db:
        return run_filters.find(db, place.id, wanted, order, sweep)


def run_connection(
    context: Context,
    place: project_table.Project,
    *,
    sweep: Sweep | None = None,
    filters: str | None = None,
    order: str | None = None,
    first: int | None = None,
    after: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Give one page of the runs of a project or sweep; all of a sweep's if no length is named."""
    return connection(
        candidates(context, place, filters, order, sweep),
        lambda run: RunNode(context, run.stored, place),
        lambda run: run.stored.name,
        first=first,
        after=after,
        default=PAGE if sweep is None else 1000,
    )
