"""GraphQL's Query and Mutation: what the SDK asks for and what it changes (0.31.0)."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from sweeper.definition import SweepDefinition
from sweeper.errors import DefinitionError
from sweeper.run import RunState, SweepState
from sweeper.server import files, inputs, lifecycle, prior_runs, projects, runs, strictjson, sweeps
from sweeper.server.connections import connection
from sweeper.server.context import Context, parts_of
from sweeper.server.filestream import clean_summary
from sweeper.server.names import UNCATEGORIZED, new_id
from sweeper.server.nodes import AgentNode, ProjectNode, SweepNode, entity_node, user_node
from sweeper.server.refusal import NotFoundError, RequestError
from sweeper.server.run_nodes import RunNode, upload_url
from sweeper.server.runs import StoredRun
from sweeper.server.scheduler import Command
from sweeper.server.sweeps import Sweep


@dataclass(frozen=True, slots=True)
class Operations:
    """The root of every request: its methods are the fields of Query and Mutation."""

    context: Context

    def viewer(self) -> dict[str, Any]:
        """Say who asks."""
        return user_node(self.context.user)

    def server_info(self) -> dict[str, Any]:
        """Announce no optional features: each one would change which requests come."""
        return {"cli_version_info": {}, "features": []}

    def entity(self, name: str | None = None) -> dict[str, Any]:
        """Describe an entity."""
        return entity_node(self._entity(name))

    def organization(self, name: str | None = None) -> None:  # noqa: ARG002
        """Have no organizations."""
        return

    def project(self, name: str | None = None, entity_name: str | None = None) -> ProjectNode | None:
        """Find a project."""
        with self.context.store.read() as db:
            found = projects.find(db, self._entity(entity_name), name or UNCATEGORIZED)
        return ProjectNode(self.context, found) if found else None

    def model(self, name: str | None = None, entity_name: str | None = None) -> ProjectNode | None:
        """Find a project, by the older name of the field."""
        return self.project(name, entity_name)

    def models(
        self, entity_name: str | None = None, after: str | None = None, first: int | None = None
    ) -> dict[str, Any]:
        """List the projects of an entity."""
        with self.context.store.read() as db:
            found = projects.all_of(db, self._entity(entity_name))
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
            known = projects.find(db, self._entity(sent.entity_name), sent.name)
            project = self._ensure_project(db, sent.entity_name, sent.name)
        node = ProjectNode(self.context, project)
        return {"project": node, "model": node, "inserted": known is None}

    def upsert_sweep(self, fields: object) -> dict[str, Any]:
        """Create a sweep, or change the state or the definition of one."""
        sent = inputs.read(inputs.UpsertSweep, fields)
        if sent.config is not None:
            _check_definition(sent.config)
        with self.context.store.write() as db:
            sweep = self._sweep_of(db, sent) if sent.id else self._create_sweep(db, sent)
            if sent.prior_runs_filters:
                prior_runs.attach(db, sweep, sent.prior_runs_filters)
            place = projects.get(db, sweep.project_id)
        self.context.scheduler.changed(sweep.id)
        warnings = sweeps.warnings(sent.config) if sent.config is not None else []
        return {"sweep": SweepNode(self.context, sweep, place), "config_validation_warnings": warnings}

    def _create_sweep(self, db: sqlite3.Connection, sent: inputs.UpsertSweep) -> Sweep:
        if sent.config is None:
            raise RequestError("a new sweep needs a config")
        project = self._ensure_project(db, sent.entity_name, sent.project_name)
        return sweeps.create(
            db,
            project.id,
            sent.config,
            user_id=self.context.user.id,
            seed=secrets.randbits(31),
            display_name=sent.display_name,
            now=self.context.now,
        )

    def _sweep_of(self, db: sqlite3.Connection, sent: inputs.UpsertSweep) -> Sweep:
        """Change an existing sweep as asked."""
        name = parts_of(sent.id or "", "Sweep")[0]
        sweep = sweeps.find(db, name)
        if sweep is None:
            raise NotFoundError(f"no sweep {name!r} here")
        if sent.config is not None and sent.config != sweep.definition_text:
            if sweep.state is not SweepState.PENDING:
                raise RequestError(f"sweep {name} has started: its config cannot change; create a new sweep")
            sweeps.replace_definition(db, sweep.id, sent.config, display_name=sent.display_name, now=self.context.now)
            prior_runs.reread(db, sweeps.get(db, sweep.id))
        if sent.state is not None:
            lifecycle.set_sweep_state(db, sweep, _sweep_state(sent.state), now=self.context.now)
        return sweeps.get(db, sweep.id)

    def create_agent(self, fields: object) -> dict[str, Any]:
        """Register an agent with a sweep."""
        sent = inputs.read(inputs.CreateAgent, fields)
        with self.context.store.read() as db:
            place = projects.find(db, self._entity(sent.entity_name), sent.project_name) if sent.project_name else None
            sweep = sweeps.find(db, sent.sweep, place.id if place else None)
            if sweep is None or (sent.project_name and place is None):
                where = f"{self._entity(sent.entity_name)}/{sent.project_name or '*'}"
                raise NotFoundError(f"no sweep {sent.sweep!r} in {where}: give the path that `sweeper create` printed")
            place = projects.get(db, sweep.project_id)
        agent = self.context.scheduler.register(sweep, sent.host, now=self.context.now)
        return {"agent": AgentNode(self.context, agent, SweepNode(self.context, sweep, place))}

    def agent_heartbeat(self, fields: object) -> dict[str, Any]:
        """Take an agent's sign of life and tell it what to do: at most one command, as JSON text of a list."""
        sent = inputs.read(inputs.AgentHeartbeat, fields)
        command = self.context.scheduler.heartbeat(sent.id, sent.listed, now=self.context.now)
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

    def upsert_bucket(self, fields: object) -> dict[str, Any]:
        """Create, start or update a run; never sets an ended one running again."""
        sent = inputs.read(inputs.UpsertBucket, fields)
        with self.context.store.write() as db:
            run, inserted = self._updated_run(db, sent) if sent.id else self._reported_run(db, sent)
            run = _set_columns(db, run, sent)
            place = projects.get(db, run.project_id)
        return {"bucket": RunNode(self.context, run, place), "inserted": inserted}

    def _updated_run(
        self, db: sqlite3.Connection, sent: inputs.UpsertBucket | inputs.UpdateRunState
    ) -> tuple[StoredRun, bool]:
        """Find the run that wandb.Api() changes."""
        name, project, entity, *_ = [*parts_of(sent.id or "", "Run"), "", "", ""]
        place = projects.find(db, entity, project)
        run = runs.find(db, place.id, name) if place else None
        if run is None:
            raise NotFoundError(f"no run {entity}/{project}/{name} here")
        return run, False

    def _reported_run(self, db: sqlite3.Connection, sent: inputs.UpsertBucket) -> tuple[StoredRun, bool]:
        """Find or create the run that a process reports, and take it for started."""
        now = self.context.now
        place = self._ensure_project(db, sent.entity_name, sent.model_name)
        run = runs.find(db, place.id, sent.name) if sent.name else None
        if run is None:
            name, state = sent.name or new_id(), _run_state(sent.state)
            run = runs.create(db, place.id, name, state=state, now=now, user_id=self.context.user.id)
            inserted = True
        else:
            inserted = run.started_at is None or lifecycle.starts_anew(run)
            run = lifecycle.begins(db, run, self.context.holder, now=now)
        if sent.sweep and run.sweep_id is None:
            run = _join_sweep(db, run, sent.sweep, sent.config)
        return run, inserted

    def update_run_state(self, fields: object) -> dict[str, Any]:
        """Hand a run out again (`pending`) or give it up (`failed`); W&B's own refuses both to runs of sweeps."""
        sent = inputs.read(inputs.UpdateRunState, fields)
        if sent.state not in {RunState.PENDING, RunState.FAILED}:
            raise RequestError(f"a run's state can be set to pending or failed, not to {sent.state!r}")
        change = lifecycle.requeue if sent.state == RunState.PENDING else lifecycle.give_up
        with self.context.store.write() as db:
            run, _ = self._updated_run(db, sent)
            change(db, run, now=self.context.now)
        return {"success": True}

    def create_run_files(self, fields: object) -> dict[str, Any]:
        """Give out addresses to upload a run's files to."""
        sent = inputs.read(inputs.CreateRunFiles, fields)
        entity, project = self._entity(sent.entity_name), sent.project_name or UNCATEGORIZED
        found = self.project(project, entity)
        run = found.run(sent.run_name) if found else None
        if run is None:
            raise NotFoundError(f"no run {entity}/{project}/{sent.run_name} here")
        urls = [
            {
                "name": path,
                "upload_url": upload_url(self.context, entity, project, sent.run_name, files.check_path(path)),
            }
            for path in sent.files
        ]
        return {"run_id": run.id(), "upload_headers": [], "files": urls}

    def _entity(self, name: str | None) -> str:
        """Fill in the asker's own entity; the SDK sends none unless the user set one."""
        return name or self.context.user.name

    def _ensure_project(self, db: sqlite3.Connection, entity: str | None, name: str | None) -> projects.Project:
        return projects.ensure(db, self._entity(entity), name or UNCATEGORIZED, now=self.context.now)


def _check_definition(text: str) -> None:
    try:
        definition = sweeps.parse_definition(text)
    except DefinitionError as error:
        raise RequestError("\n".join(filter(None, [f"Invalid sweep config: {error.message}", error.hint]))) from error
    if lacking := _not_served(definition):
        raise RequestError(f"Sweep config not served here: {lacking}")


def _not_served(definition: SweepDefinition) -> str | None:
    """Say what of a valid definition this server cannot do yet, and what to do instead."""
    if definition.scheduler is not None or definition.method == "custom":
        return (
            "`scheduler:` and `method: custom`, a search of your own in another process. "
            "Use `method: bayes`, `random` or `grid` without `scheduler:`, or a server of W&B's."
        )
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


def _run_state(text: str | None) -> RunState:
    try:
        return RunState(text) if text else RunState.RUNNING
    except ValueError as error:
        raise RequestError(f"{text!r} is no state of a run: {', '.join(RunState)}") from error


def _join_sweep(db: sqlite3.Connection, run: StoredRun, sweep_name: str, config: str | None) -> StoredRun:
    """Link a run that was started by hand within a sweep."""
    sweep = sweeps.find(db, sweep_name, run.project_id)
    if sweep is None:
        raise NotFoundError(f"no sweep {sweep_name!r} in this project")
    params = runs.parameters_of(sweep, config or run.config)
    joined = runs.update(db, run.id, sweep_id=sweep.id, params=json.dumps(params), params_key=runs.key_of(params))
    prior_runs.read_metric(db, sweep, joined)
    return joined


def _set_columns(db: sqlite3.Connection, run: StoredRun, sent: inputs.UpsertBucket) -> StoredRun:
    """Store what was sent; what was not sent stays."""
    if sent.config is not None:
        strictjson.parse_object(sent.config, "the config")
    columns = {
        "config": sent.config,
        "summary": clean_summary(sent.summary_metrics) if sent.summary_metrics is not None else None,
        "display_name": sent.display_name,
        "description": sent.description,
        "notes": sent.notes,
        "group_name": sent.group_name,
        "job_type": sent.job_type,
        "tags": json.dumps(sent.tags) if sent.tags is not None else None,
        "host": sent.host,
        "commit_hash": sent.commit,
        "program": sent.job_program,
    }
    given = {name: value for name, value in columns.items() if value is not None}
    return runs.update(db, run.id, **given) if given else run
