"""Puts a report together, out of what was read: a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import yaml

from sweeper.backend.sweep_view import SweepView
from sweeper.definition import rerun
from sweeper.journal.attempt import Attempt, spent
from sweeper.plots.failure_causes import UNKNOWN
from sweeper.results.report import facts
from sweeper.results.report.facts import Report
from sweeper.results.report.origin import Rows
from sweeper.results.status import SweepStatus
from sweeper.results.summarise import LocalView, summarise
from sweeper.run import Curve, RunState
from sweeper.search.confirmation import Confirmation

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition

LONGEST_DEFINITION = 60_000
"""Characters of a file that are shown; one of ten thousand values is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReading:
    """What was read of a sweep.

    Attributes:
        view: What its server says.
        history: What this machine's workers noted, the oldest first.
        launchers: The slots of each launch under way here, by its process.
        curves: Some points of the metric of the best runs, by id.
        made_on: Versions and machine of the best run.
        made_by: Those of what writes the report.
        local: Whether the server is the embedded one.
        at: When it was read (aware).
        confirmation: What other seeds have shown of its best configurations; None if nobody ran them again.
    """

    view: SweepView
    history: Sequence[Attempt] = ()
    launchers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    made_on: Rows = ()
    made_by: Rows = ()
    local: bool = True
    at: datetime
    confirmation: Confirmation | None = None

    @property
    def here(self) -> LocalView:
        """What this machine knows."""
        last = {attempt.run_id: attempt for attempt in self.history}
        return LocalView(attempts=last, spent=spent(self.history), launchers=self.launchers)


def assemble(read: SweepReading) -> Report:
    """Put a report together; importance takes up to three seconds."""
    view, here, now = read.view, read.here, read.at
    status = replace(summarise(view, here, now=now, weigh=True), confirmation=read.confirmation)
    drawn, weights, definition = facts.drawn_runs(view), facts.weights_of(status), view.whole_definition
    at_work = frozenset(run.id for run in view.runs if here.is_open(run.id))
    stretches = facts.stretches_of(read.history, drawn, now, at_work)
    return Report(
        status=status,
        definition=_text(definition),
        runs=drawn,
        axes=facts.axes_of(definition, drawn, weights),
        curves=read.curves,
        rungs=definition.stopping.rungs() if definition.stopping else (),
        weights=weights,
        stretches=stretches or facts.stretches_by_run(view, drawn, now),
        by_slot=bool(stretches),
        rerun=_rerun(view, status),
        made_on=read.made_on,
        made_by=read.made_by,
        unknown=tuple(_unknown(read, status)),
        at=now,
    )


def _text(definition: SweepDefinition) -> str:
    """Write the file as a person would: short lists in one line, letters as they are."""
    text = yaml.safe_dump(definition.to_dict(), sort_keys=False, default_flow_style=None, width=100, allow_unicode=True)
    return text if len(text) <= LONGEST_DEFINITION else text[:LONGEST_DEFINITION] + "\n..."


def _rerun(view: SweepView, status: SweepStatus) -> tuple[str, ...]:
    best = facts.best_of(status)
    if best is None:
        return ()
    run, definition = next(run for run in view.runs if run.id == best.id), view.whole_definition
    text = rerun.rerun_file(definition, run.params, f"again: run {best.id} of {view.ref.sweep_id}")
    commands = (rerun.rerun_command(f"rerun-{best.id}.yaml", text), rerun.direct_command(definition, run.params))
    return tuple(command for command in commands if command)


def _unknown(read: SweepReading, status: SweepStatus) -> list[str]:
    """Say what nobody told: better than a gap that looks like a zero."""
    view, found = read.view, []
    if not read.history and status.runs:
        found.append("Where runs ran, and which of them were retries: no launch of this machine worked on this sweep.")
    if not read.local and any(run.state is RunState.KILLED and not run.reason for run in view.runs):
        found.append("Why runs were stopped: this server does not tell whether early termination or a person did it.")
    if status.search.stopped_early and status.search.saved_s is None:
        found.append("How much time early termination saved: no run has finished to compare with.")
    if any(group.cause == UNKNOWN for group in status.failures):
        found.append("Why some runs failed: neither this server nor this machine has a reason.")
    if facts.best_of(status) and not read.made_on:
        found.append("Which versions and machine the best run had: the SDK's notes on it are not on this server.")
    return found
