"""Mutations of sweeps and agents: what `wandb.sweep`, `wandb sweep` and both kinds of agent send (0.31.0)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError
from sweeper.run import SweepState
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql import inputs
from sweeper.server.graphql.context import parts_of
from sweeper.server.graphql.root import Root
from sweeper.server.graphql.sweep_nodes import AgentOfSweep
from sweeper.server.rules import actions, prior_runs, rights
from sweeper.server.rules.assignment import Command
from sweeper.server.rules.joint_count import JointCount
from sweeper.server.rules.prior_runs import Logged
from sweeper.server.store import projects, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.sweeps import Sweep


@dataclass(frozen=True, slots=True)
class SweepOperations(Root):
    """Mutations of sweeps and agents."""

    def upsert_sweep(self, fields: object) -> dict[str, Any]:
        """Create a sweep, or change the state or the definition of one."""
        sent = inputs.read(inputs.UpsertSweep, fields)
        if sent.config is not None:
            check_definition(sent.config)
        # before the write begins: earlier runs may have millions of rows, and one writer holds up everybody
        known = self._read_ahead(sent) if sent.prior_runs_filters or sent.id else {}
        with self.context.store.write() as db:
            sweep = self._sweep_of(db, sent, known) if sent.id else self._create_sweep(db, sent)
            if sent.prior_runs_filters:
                prior_runs.attach(db, sweep, sent.prior_runs_filters, known)
        self.context.dispatcher.changed(sweep.id)
        warnings = sweeps.warnings(sent.config) if sent.config is not None else []
        return {"sweep": sweep, "config_validation_warnings": warnings}

    def _read_ahead(self, sent: inputs.UpsertSweep) -> Mapping[int, Logged]:
        """Read what a sweep will learn from earlier runs, so that nobody else waits for it."""
        with self.context.store.read() as db:
            stored = sweeps.find(db, parts_of(sent.id, "Sweep")[0]) if sent.id else None
            text = sent.config or (stored.definition_text if stored else "")
            metric = sweeps.parse_definition(text).metric if text else None
            place = self.find_project(db, sent.entity_name, sent.project_name)
            project_id = stored.project_id if stored else place.id if place else None
            if metric is None or project_id is None:
                return {}
            wanted = prior_runs.chosen(db, project_id, sent.prior_runs_filters) if sent.prior_runs_filters else []
            seen = runs.attached_to(db, stored.id) if stored and text != stored.definition_text else []
            return prior_runs.read_ahead(db, [*wanted, *seen], metric.name)

    def _create_sweep(self, db: Connection, sent: inputs.UpsertSweep) -> Sweep:
        if sent.config is None:
            raise RequestError("a new sweep needs a config")
        project = self.ensure_project(db, sent.entity_name, sent.project_name)
        return sweeps.create(
            db,
            project.id,
            sent.config,
            user_id=self.context.user.id,
            seed=secrets.randbits(31),
            display_name=sent.display_name,
            description=sent.description,
            now=self.context.now,
        )

    def _sweep_of(self, db: Connection, sent: inputs.UpsertSweep, known: Mapping[int, Logged]) -> Sweep:
        """Change an existing sweep as asked."""
        name = parts_of(sent.id or "", "Sweep")[0]
        sweep = sweeps.find(db, name)
        if sweep is None:
            raise NotFoundError(f"no sweep {name!r} here")
        rights.check_sweep(self.context.user, sweep)
        if sent.config is not None and sent.config != sweep.definition_text:
            if sweep.state is not SweepState.PENDING:
                raise RequestError(f"sweep {name} has started: `sweeper edit` changes what can be changed now")
            sweeps.replace_definition(db, sweep, sent.config, now=self.context.now)
            prior_runs.reread(db, sweeps.get(db, sweep.id), known)
        if sent.display_name is not None or sent.description is not None:
            sweeps.describe(db, sweep.id, sent.display_name, sent.description, now=self.context.now)
        if sent.state is not None:
            asked, why = _sweep_state(sent.state), self.context.why or ""
            actions.set_state(db, self.context.user, sweep, asked, why, now=self.context.now)
        return sweeps.get(db, sweep.id)

    def create_agent(self, fields: object) -> dict[str, Any]:
        """Register an agent with a sweep."""
        sent = inputs.read(inputs.CreateAgent, fields)
        with self.context.store.read() as db:
            place = (
                projects.find(db, self.entity_of(sent.entity_name), sent.project_name) if sent.project_name else None
            )
            sweep = sweeps.find(db, sent.sweep, place.id if place else None)
            if sweep is None or (sent.project_name and place is None):
                where = f"{self.entity_of(sent.entity_name)}/{sent.project_name or '*'}"
                raise NotFoundError(f"no sweep {sent.sweep!r} in {where}: give the path that `sweeper create` printed")
        agent = self.context.dispatcher.register(sweep, sent.host, now=self.context.now)
        return {"agent": AgentOfSweep(agent, sweep)}

    def agent_heartbeat(self, fields: object) -> dict[str, Any]:
        """Take an agent's sign of life and tell it what to do: at most one command, as JSON text of a list."""
        sent = inputs.read(inputs.AgentHeartbeat, fields)
        rights.check_agent(self.context.store, self.context.user, sent.id)
        # a worker of ours takes one run and ends
        early = not self.context.holder
        command = self.context.dispatcher.heartbeat(
            sent.id,
            sent.listed,
            now=self.context.now,
            early=early,
            held=self.context.held,
            hurried=self.context.hurried,
            joint=JointCount.read(self.context.joint),
        )
        self.context.watched.extend(command.watch)
        self.context.idle.extend(filter(None, [command.idle]))
        return {"agent": {"id": sent.id}, "commands": json.dumps(self._commands(command))}

    def _commands(self, command: Command) -> list[dict[str, Any]]:
        """Write a command as agents of 0.29 to 0.31 read it; they want every argument under "value"."""
        run = command.run
        if command.kind == "wait":
            return []
        if run is None or run.sweep_id is None:
            return [{"type": command.kind}]
        if command.kind == "stop":
            return [{"type": "stop", "run_id": run.name}]
        with self.context.store.read() as db:
            definition = sweeps.get(db, run.sweep_id).definition
        nested = definition.space.nest(json.loads(run.params))
        return [
            {
                "type": command.kind,
                "run_id": run.name,
                "args": {name: {"value": value} for name, value in nested.items()},
                "program": definition.program,
                "logs": [],
                "id": run.name,
            }
        ]


def check_definition(text: str) -> None:
    """Refuse what describes no sweep, or one that is not served here.

    Raises:
        RequestError: It does.
    """
    try:
        definition = sweeps.parse_definition(text)
    except DefinitionError as error:
        raise RequestError("\n".join(filter(None, [f"Invalid sweep config: {error.message}", error.hint]))) from error
    if lacking := _not_served(definition):
        raise RequestError(f"Sweep config not served here: {lacking}")


def _not_served(definition: SweepDefinition) -> str | None:
    """Say what of a valid definition this server cannot do yet, and what to do instead."""
    if definition.controller is not None and definition.controller.type == "local":
        return (
            "`controller: {type: local}`, a search in your own process. "
            "Leave `controller:` out: the server then searches by itself."
        )
    return None


def _sweep_state(text: str) -> SweepState:
    try:
        return SweepState(text.upper())
    except ValueError as error:
        raise RequestError(f"{text!r} is no state of a sweep: {', '.join(SweepState)}") from error
