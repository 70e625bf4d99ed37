"""Another file for a sweep that has started: what that comes to, decided and stored in one transaction.

The runs so far stay what they are. Those with a configuration that the new file does not hold are history: the search
of a finite space passes them over, and nobody is given them again. So after an edit a grid hands out exactly what the
new file has and no run had, whoever asks meanwhile: what was computed under the old file is void, be it kept ahead, on
its way from the search process, or in an agent's thread, for each compares the text that it was computed for.

A run that an agent has cannot lose its place in the file: the edit is refused. One that waits for an agent is
withdrawn.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sweeper.definition import changes
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import SweepState
from sweeper.search import goes_on, repeats
from sweeper.server.errors import RequestError
from sweeper.server.rules import prior_runs, stop_requests, sweep_transitions
from sweeper.server.store import deleted_runs, lines, run_digests, runs, seen_runs, sweep_runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

log = logging.getLogger(__name__)

DROPPED = "the sweep was given another file, without its configuration"


@dataclass(frozen=True, slots=True)
class Edit:
    """What another file comes to.

    Attributes:
        sweep: The sweep with the new file; nothing is stored yet.
        orphans: Runs under way with what it drops, by name: the parameters in question. With any, it is refused.
        withdrawn: Runs that wait for an agent and have what it drops.
        beyond: Row ids of the runs that it does not ask for.
        ran_out: Whether the sweep had ended by itself, and not because a person stopped it.
        more: Whether the sweep has further runs to give under it.
    """

    sweep: Sweep
    orphans: Mapping[str, Mapping[str, Any]]
    withdrawn: tuple[StoredRun, ...]
    beyond: tuple[int, ...]
    ran_out: bool
    more: bool

    @property
    def state(self) -> SweepState:
        """The state that the sweep will have."""
        before = self.sweep.state
        return SweepState.RUNNING if before is SweepState.FINISHED and self.ran_out and self.more else before


def plan(db: Connection, sweep: Sweep, text: str) -> Edit:
    """See what another file comes to.

    Raises:
        RequestError: The sweep is canceled, or has started and cannot be changed so.
    """
    if sweep.state is SweepState.CANCELED:
        raise RequestError(f"sweep {sweep.name} is canceled, and that is for good: create a new one", 409)
    new = replace(sweep, definition_text=text)
    has_started = sweep.state is not SweepState.PENDING
    if has_started and (refused := changes.refusals(sweep.definition, new.definition)):
        raise RequestError("; ".join(map(str, refused)), 409)
    own = runs.of_sweep(db, sweep.id)
    orphans, withdrawn = _displaced(sweep.definition, new.definition, own)
    gone = {run.id for run in withdrawn if run.started_at is None}
    left = [run for run in own if run.id not in gone]
    marks = repeats.beyond(new.definition, [seen_runs.plain(run) for run in left])
    return Edit(
        sweep=new,
        orphans=orphans,
        withdrawn=withdrawn,
        beyond=tuple(run.id for run, mark in zip(left, marks, strict=True) if mark),
        ran_out=sweep.state is SweepState.FINISHED and sweep_transitions.has_run_out(db, sweep),
        more=goes_on(new.definition, [run for run in run_digests.all_of(db, new) if run.id not in _names(withdrawn)]),
    )


def _names(found: Sequence[StoredRun]) -> frozenset[str]:
    return frozenset(run.name for run in found)


def _displaced(
    old: SweepDefinition, new: SweepDefinition, own: Sequence[StoredRun]
) -> tuple[dict[str, dict[str, Any]], tuple[StoredRun, ...]]:
    """Find the unfinished runs whose configuration a file drops: those that an agent has, and those that wait."""
    orphans, waiting = {}, []
    for run in own:
        params = json.loads(run.params)
        if not run.unfinished or new.space.contains(params):
            continue
        if run.agent_id is None and not run.live:
            waiting.append(run)
        elif old.space.contains(params):  # else it was started by hand, or an earlier file had it
            orphans[run.name] = _lost(new, params)
    return orphans, tuple(waiting)


def _lost(new: SweepDefinition, params: Mapping[str, Any]) -> dict[str, Any]:
    """Give those of a run's parameters that a file has no place for."""
    space = new.space
    kept = space.active(params)
    return {
        name: value
        for name, value in params.items()
        if name not in kept or not space.distributions[name].contains(value)
    } or dict(params)


def apply(db: Connection, sweep: Sweep, edit: Edit, logged: Mapping[int, prior_runs.Logged], *, now: float) -> Sweep:
    """Give a sweep another file.

    Args:
        db: The write connection, in the transaction in which `edit` was planned.
        sweep: The sweep as it is.
        edit: The plan.
        logged: As in `prior_runs.reread`; only a sweep that has not started may get another metric.
        now: The time.

    Raises:
        RequestError: A run under way has what the file drops.
    """
    if edit.orphans:
        names = ", ".join(edit.orphans)
        raise RequestError(f"runs under way have what the file drops: {names}: let them end, or stop them first", 409)
    for run in edit.withdrawn:
        if run.started_at is None:  # nobody has ever worked on it
            deleted_runs.bury(db, run, now=now)
        else:
            stop_requests.end_waiting(db, run, DROPPED, now=now)
    sweeps.replace_definition(db, sweep, edit.sweep.definition_text, now=now)
    changed = sweeps.get(db, sweep.id)
    if sweep.state is SweepState.PENDING:
        prior_runs.reread(db, changed, logged)
    elif sweep.seeks_values is not changed.seeks_values:
        lines.seek_metric(db, sweep.id, sought=changed.seeks_values)
    sweep_runs.mark_beyond(db, sweep.id, edit.beyond)
    _settle(db, changed, edit, now=now)
    told = {"action": "sweep_edited", "sweep": sweep.name, "withdrawn": len(edit.withdrawn), "beyond": len(edit.beyond)}
    log.info("sweep %s has another file", sweep.name, extra=told)
    return sweeps.get(db, sweep.id)


def expected_runs(db: Connection, edit: Edit) -> int | None:
    """Count the runs that a sweep will have under another file; None if it goes on until stopped."""
    return prior_runs.expected_with(db, edit.sweep, beyond=len(edit.beyond))


def _settle(db: Connection, sweep: Sweep, edit: Edit, *, now: float) -> None:
    """Open a sweep that has more to give now, or end one that has nothing left."""
    if edit.state is not sweep.state:
        sweeps.set_state(db, sweep.id, edit.state, now=now)
    elif edit.ran_out:  # remembered, so that nobody takes it for one that a person stopped
        sweeps.set_exhausted(db, sweep.id)
    elif sweep.state is SweepState.RUNNING:
        if not edit.more and not runs.offers(db, sweep.id):  # one that nobody takes up is free again
            sweeps.set_exhausted(db, sweep.id)
        sweep_transitions.finish_if_done(db, sweep.id, now=now)
