"""What a report says, as a pure function of what the server and this machine know of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sweeper.backend.sweep_view import SweepView
from sweeper.figures.drawn_run import DrawnRun, Fate
from sweeper.figures.importance_bars import Weight
from sweeper.figures.scales import ParameterAxis
from sweeper.figures.timeline import Stretch
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.results.labels import label, varying
from sweeper.results.report.origin import Rows
from sweeper.results.status import RunStatus, SweepStatus
from sweeper.run import Curve, Goal, Run

if TYPE_CHECKING:
    from sweeper.definition.outline import Outline
    from sweeper.definition.sweep_definition import SweepDefinition

_ENDS: Mapping[AttemptOutcome | None, Fate] = {
    None: "running",
    AttemptOutcome.FINISHED: "finished",
    AttemptOutcome.STOPPED: "stopped",
    AttemptOutcome.INTERRUPTED: "waiting",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report says.

    Attributes:
        status: The sweep, as `sweeper status` tells it, with the importance of its parameters.
        definition: Its file, as YAML.
        runs: Its runs, in their order.
        axes: The parameters in which runs differ, the most important first.
        curves: Some points of each run's metric, by id.
        rungs: Where early termination judges.
        weights: How much each parameter mattered.
        stretches: What ran when.
        by_slot: Whether it is known where.
        rerun: Commands that run the best configuration again, the whole one first; none without a best run.
        made_on: Versions and machine of the best run, as the SDK noted them.
        made_by: Those of what wrote the report.
        unknown: What this server or this machine does not tell, each in a sentence.
        at: When it was written (aware).
    """

    status: SweepStatus
    definition: str
    runs: tuple[DrawnRun, ...]
    axes: tuple[ParameterAxis, ...]
    curves: Mapping[str, Curve]
    rungs: tuple[int, ...]
    weights: tuple[Weight, ...]
    stretches: tuple[Stretch, ...]
    by_slot: bool
    rerun: tuple[str, ...]
    made_on: Rows
    made_by: Rows
    unknown: tuple[str, ...]
    at: datetime

    @property
    def metric(self) -> str:
        """What runs are coloured by: the metric, or the first of several; empty if the sweep optimises nothing."""
        return next(iter(self.status.facts.metrics), self.status.facts.metric)

    @property
    def goal(self) -> Goal:
        """In which direction that is good."""
        return next(iter(self.status.facts.metrics.values()), self.status.facts.goal)


def drawn_runs(view: SweepView) -> tuple[DrawnRun, ...]:
    """Give the sweep's own runs as figures draw them."""
    own = [run for run in view.runs if not run.prior]
    outline = view.outline
    names = varying([{n: run.params[n] for n in outline.searched or run.params if n in run.params} for run in own])
    return tuple(
        DrawnRun.of(run, number, label(run.params, names), _value(run, outline))
        for number, run in enumerate(own, start=1)
    )


def _value(run: Run, outline: Outline) -> float | None:
    """Give what a run is judged by: its best value, or its value of the first of several metrics."""
    return next(iter(run.values), None) if outline.several else run.best(outline.goal)


def axes_of(
    definition: SweepDefinition, runs: Sequence[DrawnRun], weights: Sequence[Weight]
) -> tuple[ParameterAxis, ...]:
    """List the parameters in which runs differ, the most important first."""
    searched = definition.space.searched
    params = [{name: run.params[name] for name in searched or run.params if name in run.params} for run in runs]
    names = varying(params)
    places = {weight.name: place for place, weight in enumerate(weights)}
    ordered = sorted(names, key=lambda name: places.get(name, len(places)))
    return tuple(ParameterAxis.of(name, searched.get(name)) for name in ordered)


def stretches_of(
    history: Sequence[Attempt], runs: Sequence[DrawnRun], now: datetime, open_runs: frozenset[str]
) -> tuple[Stretch, ...]:
    """Turn what workers noted into stretches of time: a line for a start, and one for its end.

    Args:
        history: The lines, the oldest first.
        runs: The runs, for what they are called.
        now: The time.
        open_runs: Those that a launch is at.
    """
    called = {run.id: f"{run.id}: {run.label}" for run in runs}
    began: dict[tuple[str, str], Attempt] = {}
    tries: dict[str, int] = {}
    found = []
    for noted in history:
        key = noted.slot, noted.run_id
        if noted.outcome is None:
            tries[noted.run_id] = tries.get(noted.run_id, 0) + 1
            began[key] = noted
            continue
        start = began.pop(key, None)
        at = start.at if start else noted.at - noted.spent_s
        told = f"{called.get(noted.run_id, noted.run_id)}{f' ({noted.reason})' if noted.reason else ''}"
        attempt = max(1, tries.get(noted.run_id, 1))
        fate = _ENDS.get(noted.outcome, "failed")
        found.append(Stretch(row=noted.slot, start=at, end=noted.at, fate=fate, told=told, attempt=attempt))
    for (slot, run_id), start in began.items():
        if run_id in open_runs:
            told, attempt = called.get(run_id, run_id), tries[run_id]
            found.append(
                Stretch(row=slot, start=start.at, end=now.timestamp(), fate="running", told=told, attempt=attempt)
            )
    return tuple(found)


def stretches_by_run(view: SweepView, runs: Sequence[DrawnRun], now: datetime) -> tuple[Stretch, ...]:
    """Give a stretch per run from what the server knows: when it was made, and how long it took."""
    known = {run.id: run for run in view.runs}
    found = []
    for drawn in runs:
        run = known[drawn.id]
        if run.created_at is None or drawn.fate == "waiting":
            continue
        start = run.created_at.timestamp()
        end = now.timestamp() if drawn.fate == "running" else start + (run.duration_s or 0.0)
        found.append(Stretch(row="", start=start, end=max(start, end), fate=drawn.fate, told=drawn.told))
    return tuple(found)


def weights_of(status: SweepStatus) -> tuple[Weight, ...]:
    """Give the importance of the parameters, as figures draw it."""
    rows = status.search.importance or ()
    return tuple(Weight(row.name, row.ped_anova, row.forest, row.n) for row in rows)


def best_of(status: SweepStatus) -> RunStatus | None:
    """Name the run that stands first: the best, or the first of the front."""
    return status.standing.best or next(iter(status.standing.front), None)
