"""What sweeper's own commands change of sweeps beyond W&B's protocol: `sweeper edit`, `delete` and `server prune`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.server.artifacts import commit
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql import inputs, retention_texts
from sweeper.server.graphql.context import parts_of
from sweeper.server.graphql.root import Root
from sweeper.server.graphql.sweep_operations import check_definition
from sweeper.server.rules import deletion, prior_runs, retention, rights, sweep_edits
from sweeper.server.rules.prior_runs import Logged
from sweeper.server.rules.sweep_edits import Edit
from sweeper.server.store import artifacts, projects, runs, space, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep


@dataclass(frozen=True, slots=True)
class SweepChanges(Root):
    """Mutations of sweeps that the SDK does not know."""

    def edit_sweep(self, fields: object) -> dict[str, Any]:
        """Give a sweep another file, one that has started too; or tell what that would come to."""
        sent = inputs.read(inputs.EditSweep, fields)
        check_definition(sent.config)
        known = self._read_attached(sent)
        with self.context.store.read() as db:
            sweep = self._own_sweep(db, sent.id)
            edit = sweep_edits.plan(db, sweep, sent.config)
            effects = _effects(db, edit)
        if sent.dry_run:
            return {"sweep": sweep, "effects": effects}
        with self.context.store.write() as db:
            sweep = self._own_sweep(db, sent.id)
            if sent.based_on is not None and sent.based_on != sweep.definition_text:
                raise RequestError(
                    f"sweep {sweep.name} was given another file meanwhile: look at it, and edit anew", 409
                )
            edit = sweep_edits.plan(db, sweep, sent.config)
            sweep = sweep_edits.apply(db, sweep, edit, known, now=self.context.now)
            effects = _effects(db, edit)
        self.context.dispatcher.changed(sweep.id)
        return {"sweep": sweep, "effects": effects}

    def delete_sweep(self, fields: object) -> dict[str, Any]:
        """Delete some runs of a sweep with all that is theirs, and the sweep once none is left; to be asked again."""
        sent = inputs.read(inputs.DeleteSweep, fields)
        with self.context.store.write() as db:
            sweep = self._own_sweep(db, sent.id)
            if stays := self._needed(db, sweep, sent):
                return {"deleted": [], "left": 0, "stays": stays}
            if sent.runs is None:
                deletion.close(db, sweep, now=self.context.now)
            chosen = deletion.next_of(db, sweep, sent.runs)
            for run in chosen:
                rights.check_run(self.context.user, run)
        # before the rows: whoever asks again finds what is left by them
        commit.delete(self.context.store, self.context.blobs, lambda db: self._outputs_of(db, chosen))
        with self.context.store.write() as db:
            gone = deletion.delete_runs(db, sweep, chosen, now=self.context.now)
            left = deletion.left(db, sweep, sent.runs)
            if sent.runs is None and not left:
                deletion.delete_sweep(db, sweep)
            place = projects.get(db, sweep.project_id)
        places = [(place.entity, place.name, run.name) for run in gone]
        deletion.remove_files(self.context.store, self.context.files, place.id, places)
        self.context.dispatcher.changed(None if sent.runs is None else sweep.id)
        return {"deleted": [run.name for run in gone], "left": left, "stays": None}

    def _needed(self, db: Connection, sweep: Sweep, sent: inputs.DeleteSweep) -> str:
        """Say why a sweep stays that was to go if it is over for long: it may have begun anew meanwhile."""
        if sent.ended_before is None:
            return ""
        named = runs.named(db, sweep.project_id, sent.runs) if sent.runs is not None else runs.of_sweep(db, sweep.id)
        rows = [run.id for run in named if run.sweep_id == sweep.id]
        return retention.still_needed(db, sweep, rows, before=sent.ended_before)

    def _outputs_of(self, db: Connection, chosen: Sequence[StoredRun]) -> list[artifacts.Artifact]:
        """List what runs have made, and no other run has made as well."""
        ids = {run.id for run in chosen}
        made = {one.id: one for run in chosen for one in artifacts.of_run(db, run.id, artifacts.OUTPUT)}
        found = [one for one in made.values() if ids.issuperset(artifacts.runs_of(db, one.id, artifacts.OUTPUT))]
        rights.check(self.context.user, "an artifact of a run", [artifact.user_id for artifact in found])
        return found

    def free_space(self, fields: object) -> dict[str, Any]:
        """Give some of the database's free pages back to the disk; to be asked again as long as there are any."""
        inputs.read(inputs.FreeSpace, fields)
        rights.check(self.context.user, "the database", [None])
        with self.context.store.write(durable=False) as db:
            space.give_back(db)
        return {"space": retention_texts.space_text(self.context, counted=False)}

    def _own_sweep(self, db: Connection, id_: str) -> Sweep:
        """Find a sweep that the asker may change."""
        name = next(iter(parts_of(id_, "Sweep")), "")
        sweep = sweeps.find(db, name)
        if sweep is None:
            raise NotFoundError(f"no sweep {name!r} here")
        rights.check_sweep(self.context.user, sweep)
        return sweep

    def _read_attached(self, sent: inputs.EditSweep) -> Mapping[int, Logged]:
        """Read what a sweep that has not started will learn from earlier runs; with it they may get another metric."""
        with self.context.store.read() as db:
            sweep = self._own_sweep(db, sent.id)
            metric = sweeps.parse_definition(sent.config).metric
            seen = runs.attached_to(db, sweep.id) if metric else []
            return prior_runs.read_ahead(db, seen, metric.name) if metric else {}


def _effects(db: Connection, edit: Edit) -> str:
    """Tell what an edit comes to, as `sweeper edit` reads it."""
    removed = sum(run.started_at is None for run in edit.withdrawn)
    made = runs.count(db, edit.sweep.id) - runs.offers(db, edit.sweep.id)
    told = {
        "state": edit.state,
        "runs": made,
        "expected_runs": sweep_edits.expected_runs(db, edit),
        "more": edit.more,
        "stopped": edit.state.ended and not edit.ran_out,
        "history": len(edit.beyond),
        "withdrawn": [run.name for run in edit.withdrawn],
        "removed": removed,
        "orphans": edit.orphans,
    }
    return json.dumps(told)
