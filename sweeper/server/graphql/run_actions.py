"""Mutations that act on one run: stop, delete, rewind, alert (wandb SDK 0.29 to 0.31.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sweeper.server.artifacts import commit
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql import inputs
from sweeper.server.graphql.context import parts_of
from sweeper.server.graphql.root import Root
from sweeper.server.rules import actions, branching, deletion, rights, run_transitions, sweep_transitions
from sweeper.server.store import alerts, artifacts, projects, run_files, runs
from sweeper.server.store.alerts import Alert
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import MAX_STEP
from sweeper.server.store.projects import Project
from sweeper.server.store.runs import StoredRun


@dataclass(frozen=True, slots=True)
class RunActions(Root):
    """Mutations that act on one run."""

    def stop_run(self, fields: object) -> dict[str, Any]:
        """Stop a run, wherever it is: Api run.stop(); the answer does not wait for it."""
        sent = inputs.read(inputs.RunById, fields)
        with self.context.store.write() as db:
            _, run = self.own_run(db, sent.id)
            actions.stop(db, self.context.user, run, self.context.why or "", now=self.context.now)
        self.context.dispatcher.changed(run.sweep_id)
        return {"success": True}

    def delete_run(self, fields: object) -> dict[str, Any]:
        """Delete a run with its history and files; a process that is still at it is told to stop."""
        sent = inputs.read(inputs.DeleteRun, fields)
        with self.context.store.read() as db:
            if self.was_deleted(db, sent.id):  # asked twice, it is gone all the same
                return {"client_mutation_id": None}
        if sent.delete_artifacts:
            commit.delete(self.context.store, self.context.blobs, lambda db: self._made_by(db, sent.id))
        with self.context.store.write() as db:
            place, run = self.own_run(db, sent.id)
            deletion.delete_run(db, run, now=self.context.now)
            if run.sweep_id is not None:
                sweep_transitions.finish_if_done(db, run.sweep_id, now=self.context.now)
        places = [(place.entity, place.name, run.name)]
        deletion.remove_files(self.context.store, self.context.files, place.id, places)
        self.context.dispatcher.changed(run.sweep_id)
        return {"client_mutation_id": None}

    def _made_by(self, db: Connection, run_id: str) -> list[artifacts.Artifact]:
        _, run = self.own_run(db, run_id)
        found = artifacts.of_run(db, run.id, artifacts.OUTPUT)
        rights.check(self.context.user, "an artifact of the run", [artifact.user_id for artifact in found])
        return found

    def delete_files(self, fields: object) -> dict[str, Any]:
        """Delete files of runs; those that are gone already do not matter."""
        sent = inputs.read(inputs.DeleteFiles, fields)
        names = [self._file_names(id_) for id_ in sent.files]
        here = []
        with self.context.store.write() as db:
            for entity, project, run_name, path in names:
                place = projects.find(db, entity, project)
                run = runs.find(db, place.id, run_name) if place else None
                if run is not None:
                    rights.check_run(self.context.user, run)
                    run_files.forget(db, run.id, path)
                if place is not None:
                    here.append((entity, project, run_name, path))
        for found in here:
            self.context.files.remove(*found)
        return {"success": True}

    @staticmethod
    def _file_names(id_: str) -> tuple[str, str, str, str]:
        parts = parts_of(id_, "File")
        if len(parts) < 4:
            raise NotFoundError(f"{id_!r} is not the id of a file")
        entity, project, run, *path = parts  # only a path has colons
        return entity, project, run, ":".join(path)

    def rewind_run(self, fields: object) -> dict[str, Any]:
        """Go back to a step of a run and on from there: wandb.init(resume_from="RUN?_step=N")."""
        sent = inputs.read(inputs.RewindRun, fields)
        if sent.metric_name != "_step" or not sent.metric_value.is_integer() or abs(sent.metric_value) > MAX_STEP:
            raise RequestError(f"a run is rewound to a whole `_step`, not to {sent.metric_name} {sent.metric_value}")
        with self.context.store.write() as db:
            _, run = self._run_named(db, sent)
            run = branching.rewind(db, run, int(sent.metric_value))
            run = run_transitions.resumes(db, run, self.context.writing(None), now=self.context.now)
        return {"rewound_run": run}

    def notify_scriptable_run_alert(self, fields: object) -> dict[str, Any]:
        """Keep what a run reports: run.alert()."""
        sent = inputs.read(inputs.RunAlert, fields)
        with self.context.store.write() as db:
            _, run = self._run_named(db, sent)
            alerts.record(db, run, Alert(sent.title, sent.text, sent.severity or "INFO", self.context.now))
        return {"success": True}

    def _run_named(self, db: Connection, sent: inputs.RunByName) -> tuple[Project, StoredRun]:
        place = self.find_project(db, sent.entity_name, sent.project_name)
        run = runs.find(db, place.id, sent.run_name) if place else None
        if place is None or run is None:
            raise NotFoundError(f"no run {sent.run_name!r} in {self.entity_of(sent.entity_name)}/{sent.project_name}")
        rights.check_run(self.context.user, run)
        return place, run
