"""Mutations of runs: what `wandb.init`, a run and `wandb.Api().run(...)` send (0.31.0)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sweeper.run import RunState
from sweeper.server import strict_json
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql import inputs
from sweeper.server.graphql.context import run_id
from sweeper.server.graphql.root import Root
from sweeper.server.graphql.run_file_nodes import upload_url
from sweeper.server.names import UNCATEGORIZED, new_id
from sweeper.server.rules import (
    actions,
    branching,
    deletion,
    prior_runs,
    resumed_by_name,
    rights,
    run_endings,
    run_transitions,
    shared_mode,
    synced_parts,
)
from sweeper.server.rules.run_summary import clean_summary
from sweeper.server.store import attempts, run_files, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun

MAX_FILES = 20_000
"""In one request."""


@dataclass(frozen=True, slots=True)
class RunOperations(Root):
    """Mutations of runs."""

    def upsert_bucket(self, fields: object) -> dict[str, Any]:
        """Create, start or update a run; never sets an ended one running again."""
        sent = inputs.read(inputs.UpsertBucket, fields)
        with self.context.store.write() as db:
            run, inserted = self._updated_run(db, sent, sent.id) if sent.id else self._reported_run(db, sent)
            run = _set_columns(db, run, sent)
            if self.context.slot and sent.is_first:
                attempts.place(db, run.id, self.context.slot)
        if sent.summary_metrics is not None and run.state.ended:
            self.context.dispatcher.past.forget()
        return {"bucket": run, "inserted": inserted, "server_settings": {"server_messages": []}}

    def _updated_run(self, db: Connection, sent: inputs.UpsertBucket, id_: str) -> tuple[StoredRun, bool]:
        """Find the run that wandb.Api() changes, or that a process resumes."""
        # wandb.Api() changes a run whoever works on it; only a process's first words mean that it goes on
        _, run = self.run_by_id(db, id_) if sent.is_first else self.own_run(db, id_)
        if sent.is_first:
            run = rights.take_up(db, self.context.user, run)
            run = run_transitions.resumes(db, run, self.context.writing(sent.config), now=self.context.now)
        return run, False

    def _reported_run(self, db: Connection, sent: inputs.UpsertBucket) -> tuple[StoredRun, bool]:
        """Find or create the run that a process reports, and take it for started."""
        now = self.context.now
        place = self.ensure_project(db, sent.entity_name, sent.model_name)
        run = runs.find(db, place.id, sent.name) if sent.name else None
        first = sent.is_first and not shared_mode.is_announced(sent.config)
        if run is None:
            name, state = sent.name or new_id(), _run_state(sent.state)
            deletion.check_new(db, place.id, name)
            run = runs.create(db, place.id, name, state=state, now=now, user_id=self.context.user.id)
            inserted = True
        elif first and synced_parts.may_follow(run, sent.job_program):
            run, inserted = synced_parts.begin(db, rights.take_up(db, self.context.user, run)), False
        elif first and resumed_by_name.may_go_on(run, now=now):
            run = rights.take_up(db, self.context.user, run)
            run, inserted = resumed_by_name.begin(db, run, self.context.writing(sent.config), now=now), False
        else:
            run = rights.take_up(db, self.context.user, run)
            inserted = run.started_at is None or run_transitions.starts_anew(run, first=first)
            run = run_transitions.begins(db, run, self.context.writing(sent.config), first=first, now=now)
        # once, at the start: repeated words of the same process must not copy the parent's rows again
        if inserted:
            run = branching.fork(db, run, sent.config)
        if sent.sweep and run.sweep_id is None:
            run = _join_sweep(db, run, sent.sweep, sent.config)
        return run, inserted

    def update_run_state(self, fields: object) -> dict[str, Any]:
        """Hand a run out again (`pending`) or give it up (`failed`); W&B's own refuses both to runs of sweeps."""
        sent = inputs.read(inputs.UpdateRunState, fields)
        if sent.state not in {RunState.PENDING, RunState.FAILED}:
            raise RequestError(f"a run's state can be set to pending or failed, not to {sent.state!r}")
        why, now, reason = self.context.why, self.context.now, self.context.reason
        with self.context.store.write() as db:
            _, run = self.own_run(db, sent.id)
            if sent.state == RunState.FAILED:
                run_endings.give_up(db, run, now=now, reason=reason)
            elif why is None:
                run_endings.requeue(db, run, now=now, reason=reason)
            else:
                actions.retry(db, self.context.user, run, why, now=now)
        self.context.dispatcher.changed(run.sweep_id)
        return {"success": True}

    def create_run_files(self, fields: object) -> dict[str, Any]:
        """Give out addresses to upload a run's files to."""
        sent = inputs.read(inputs.CreateRunFiles, fields)
        entity, project = self.entity_of(sent.entity_name), sent.project_name or UNCATEGORIZED
        if len(sent.files) > MAX_FILES:
            raise RequestError(f"{len(sent.files)} files: ask for at most {MAX_FILES} at a time")
        with self.context.store.read() as db:
            place = self.find_project(db, entity, project)
            run = runs.find(db, place.id, sent.run_name) if place else None
        if run is None or place is None:
            raise NotFoundError(f"no run {entity}/{project}/{sent.run_name} here")
        rights.check_run(self.context.user, run)
        urls = [
            {
                "name": path,
                "upload_url": upload_url(self.context, entity, project, sent.run_name, run_files.check_path(path)),
            }
            for path in sent.files
        ]
        return {"run_id": run_id(place, run.name), "upload_headers": [], "files": urls}


def _run_state(text: str | None) -> RunState:
    try:
        return RunState(text) if text else RunState.RUNNING
    except ValueError as error:
        raise RequestError(f"{text!r} is no state of a run: {', '.join(RunState)}") from error


def _join_sweep(db: Connection, run: StoredRun, sweep_name: str, config: str | None) -> StoredRun:
    """Link a run that was started by hand within a sweep."""
    sweep = sweeps.find(db, sweep_name, run.project_id)
    if sweep is None:
        raise NotFoundError(f"no sweep {sweep_name!r} in this project")
    params = runs.parameters_of(sweep, config or run.config)
    joined = runs.update(db, run.id, sweep_id=sweep.id, params=json.dumps(params), params_key=runs.key_of(params))
    prior_runs.read_metric(db, sweep, joined)
    return joined


def _set_columns(db: Connection, run: StoredRun, sent: inputs.UpsertBucket) -> StoredRun:
    """Store what was sent; what was not sent stays."""
    config = sent.config
    if config is not None:
        strict_json.parse_object(config, "the config")
        if shared_mode.is_announced(config):
            config = shared_mode.merged_config(run.config, config)
    columns = {
        "config": config,
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
    # None is "not sent": a later upsert of wandb-core names only what has changed
    given = {name: value for name, value in columns.items() if value is not None}
    return runs.update(db, run.id, **given) if given else run
