"""GraphQL's Sweep and Agent over the stored ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sweeper.run import SweepState, best_run
from sweeper.server.errors import NotFoundError
from sweeper.server.graphql import digest_texts, list_texts
from sweeper.server.graphql.context import global_id
from sweeper.server.graphql.node import Node
from sweeper.server.graphql.pagination import MAX_PAGE, connection
from sweeper.server.graphql.run_nodes import run_connection
from sweeper.server.rules import deletion, own_scheduler, prior_runs
from sweeper.server.store import agent_runs, counted_runs, run_digests, runs, sweeps
from sweeper.server.store.projects import Project
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Agent, Sweep


class SweepNode(Node[Sweep]):
    """GraphQL's Sweep."""

    # the CLI asks for these three and reads none of them (0.31.0)
    early_stop_job_running = False
    controller = scheduler = None

    def id(self) -> str:
        """Its global id; `wandb sweep --stop` and its like find the sweep by it."""
        place = self.project()
        return global_id("Sweep", self.stored.name, place.name, place.entity)

    def method(self) -> str:
        """How it searches."""
        return self.stored.definition.method

    def config(self) -> str:
        """The definition, as it was sent."""
        return self.stored.definition_text

    def project(self) -> Project:
        return self.context.project(self.stored.project_id)

    def controller_run_name(self) -> str | None:
        """The run that its scheduler logs into; None for a sweep that the server searches."""
        if self.stored.definition.scheduler is None:
            return None
        # made when it is first asked for: the scheduler (0.31.0) wants a run to log into, and nobody else does
        with self.context.store.write() as db:
            # the sweep's owner's, whoever asks first
            user_id = self.context.user.id if self.stored.user_id is None else self.stored.user_id
            return own_scheduler.ensure_controller(db, self.stored, user_id=user_id, now=self.context.now).name

    def run_count(self) -> int:
        """Count the runs it made, in any state."""
        with self.context.store.read() as db:
            return runs.count(db, self.stored.id) - runs.offers(db, self.stored.id)

    def run_count_expected(self) -> int | None:
        """How many runs it will have; None if it goes on until stopped."""
        with self.context.store.read() as db:
            return prior_runs.expected_runs(db, self.stored)

    def best_loss(self) -> float | None:
        """The best value of its metric, whichever its goal."""
        with self.context.store.read() as db:
            known = run_digests.all_of(db, self.stored)
        goal = self.stored.definition.goal
        best = best_run([run for run in known if not run.prior], goal)
        return best.best(goal) if best else None

    def runs(self, filters: str | None = None, **arguments: Any) -> dict[str, Any]:
        """List its runs, with those attached to it: their `sweepName` tells them apart."""
        return run_connection(self.context, self.stored.project_id, sweep=self.stored, filters=filters, **arguments)

    def outline(self) -> str:
        """Tell what `sweeper status` says of it, its file in short."""
        return digest_texts.outline_text(self.context, self.stored)

    def run_digests(self, after: int | None = None, since: float | None = None, first: int | None = None) -> str:
        """Tell what a page of its runs has come to, as sweeper's own commands read it."""
        return digest_texts.digests_text(self.context, self.stored, after or 0, since, first)

    def whole_runs(self, after: int | None = None, first: int | None = None) -> str:
        """Tell a page of its runs with their configs and summaries, as `sweeper export` reads it."""
        return digest_texts.whole_runs_text(self.context, self.stored, after or 0, first)

    def run_curves(self, runs: Sequence[str], points: int) -> str:
        """Tell some points of the metric of each of some runs, as sweeper's own commands draw them."""
        return digest_texts.curves_text(self.context, self.stored, runs, points)

    def holdings(self, runs: Sequence[str] | None = None) -> str:
        """Tell what would go with it, or with some of its runs, as `sweeper delete` asks."""
        with self.context.store.read() as db:
            return json.dumps(asdict(deletion.holdings(db, self.stored, runs)))

    def run_names(self, prefix: str | None = None, first: int | None = None) -> str:
        """Tell what its runs are called, for completion and for who has mistyped one."""
        return list_texts.run_names_text(self.context, self.stored, prefix, first)

    def count_of(self, group: str) -> int:
        """Count the runs that a group of workers has had, as `sweeper worker --count` asks."""
        with self.context.store.read() as db:
            return counted_runs.made(db, self.stored.id, group)

    def prior_runs(self, first: int | None = None, after: str | None = None) -> dict[str, Any]:
        """List the earlier runs attached to it."""
        with self.context.store.read() as db:
            found = runs.attached_to(db, self.stored.id)
        return connection(found, lambda run: run.name, first=first, after=after)

    def agent(self, agent_name: str | None = None) -> AgentOfSweep:
        """Find one of its agents."""
        with self.context.store.read() as db:
            found = sweeps.find_agent(db, agent_name or "")
        if found is None or found.sweep_id != self.stored.id:
            raise NotFoundError(f"sweep {self.stored.name} has no agent {agent_name!r}")
        return AgentOfSweep(found, self.stored)

    def agents(self, first: int | None = None) -> dict[str, Any]:
        """List its agents."""
        with self.context.store.read() as db:
            found = [AgentOfSweep(agent, self.stored) for agent in sweeps.agents_of(db, self.stored.id)]
        return connection(found, lambda row: row.agent.name, first=first, default=MAX_PAGE)


@dataclass(frozen=True, slots=True)
class AgentOfSweep:
    """A row of an agent with that of its sweep, without whose state it cannot tell its own."""

    agent: Agent
    sweep: Sweep


class AgentNode(Node[AgentOfSweep]):
    """GraphQL's Agent."""

    def id(self) -> str:
        """The id its client was given."""
        return self.stored.agent.name

    def name(self) -> str:
        """The id its client was given: W&B's agents have no other name."""
        return self.stored.agent.name

    def host(self) -> str:
        """The machine that its client named."""
        return self.stored.agent.host

    def state(self) -> str:
        """RUNNING while it is heard: as long as the reaper leaves its runs alone."""
        heard = self.context.dispatcher.policy.hears(self.stored.agent.heartbeat_at, now=self.context.now)
        return "RUNNING" if heard and self.stored.sweep.state is not SweepState.FINISHED else "FINISHED"

    def created_at(self) -> float:
        return self.stored.agent.created_at

    def heartbeat_at(self) -> float:
        return self.stored.agent.heartbeat_at

    def total_runs(self) -> int:
        """Count the runs it was given."""
        return len(self._runs())

    def runs(self, first: int | None = None, after: str | None = None, **_: Any) -> dict[str, Any]:
        """List the runs it was given."""
        return connection(self._runs(), lambda run: run.name, first=first, after=after)

    def _runs(self) -> list[StoredRun]:
        with self.context.store.read() as db:
            return agent_runs.given_to(db, self.stored.agent.id)
