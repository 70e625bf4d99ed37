"""The state of a sweep in one record: a pure function of what the server and the workers say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.failures import Kind
from sweeper.ref import SweepRef
from sweeper.run import Goal, Run, RunState, StopDecision, SweepState, best_run, reaches
from sweeper.search import expected_runs
from sweeper.search.importance import Importance, importance
from sweeper.search.pareto_front import front
from sweeper.search.savings import saved_seconds, stopped_early

SCHEDULER_HEARD = timedelta(seconds=75)
"""A scheduler that was heard within this time is at work: its run reports every 30 s (wandb 0.31)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """One run, as shown.

    Attributes:
        id: Its run id.
        name: Its display name.
        state: Where it is in its life.
        params: The parameters that the sweep varies.
        best: Its best value of the metric.
        last: Its last value of the metric.
        duration_s: How long it took, or has taken.
        slot: Where it ran; empty if this machine did not run it.
        reason: Why it was stopped or failed.
        log: The file with what it printed; empty if it is not on this machine.
        kind: What went wrong with its last attempt, if this machine saw it.
        policy: What was done about that.
        attempts: How often it was started here.
        log_tail: The last lines of the log of one that failed.
        told_to_stop: Whether the server wants it to end and it has not yet.
        stop: The decision of early termination that ended it, if one did.
        losses: How often the server took it from a silent agent.
        values: Its last value of each metric, of a sweep with several.
    """

    id: str
    name: str
    state: RunState
    params: Mapping[str, Any]
    best: float | None
    last: float | None
    duration_s: float | None
    slot: str
    reason: str
    log: str
    kind: str = ""
    policy: str = ""
    attempts: int = 1
    log_tail: tuple[str, ...] = ()
    told_to_stop: bool = False
    stop: StopDecision | None = None
    losses: int = 0
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStatus:
    """One sweep, as shown.

    Attributes:
        sweep: `entity/project/id`.
        name: Its name, if it was given one.
        url: Its page.
        state: Where it is in its life.
        method: How it searches.
        metric: What it optimises; empty if nothing, or if it has several metrics.
        goal: In which direction.
        done: Runs that ended.
        total: Runs expected; None if unbounded.
        counts: Runs by state.
        best: The run with the best logged value.
        model: The best run's ONNX file on this machine; empty if it was not downloaded.
        elapsed_s: Since the first run was made, until now or the end of the last.
        runs: All runs, oldest first.
        stopped_early: Runs that early termination ended.
        saved_s: GPU seconds that it saved, by `saved_seconds`; None as long as that is unknown.
        fallbacks: Why runs got random draws where the search had nothing ready, with how many did.
        importance: How much each parameter mattered, if that was asked for.
        runs: All runs it made, oldest first.
        prior: Earlier runs attached to it, which count nowhere else here.
        prior_best: The best value among those.
        target: The value of the metric at which the sweep has what it is for; None if there is none.
        launchers: The slots of each launch under way on this machine, by its process.
        scheduler: The engine of its own scheduler; empty if the server searches.
        scheduler_at_work: Whether that was heard of lately.
        metrics: What it optimises and in which direction, of a sweep with several metrics.
        front: The runs that no other one beats in all of those.
    """

    sweep: str
    name: str
    url: str
    state: SweepState
    method: str
    metric: str
    goal: Goal
    done: int
    total: int | None
    counts: Mapping[str, int]
    best: RunStatus | None
    model: str
    elapsed_s: float | None
    runs: tuple[RunStatus, ...]
    stopped_early: int = 0
    saved_s: float | None = None
    fallbacks: Mapping[str, int] = field(default_factory=dict)
    importance: tuple[Importance, ...] | None = None
    prior: int = 0
    prior_best: float | None = None
    target: float | None = None
    launchers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    scheduler: str = ""
    scheduler_at_work: bool = False
    metrics: Mapping[str, Goal] = field(default_factory=dict)
    front: tuple[RunStatus, ...] = ()

    @property
    def aim(self) -> str:
        """What it optimises, in words; empty if nothing."""
        goals = self.metrics or ({self.metric: self.goal} if self.metric else {})
        return ", ".join(f"{goal} {name}" for name, goal in goals.items())

    @property
    def reached_target(self) -> bool:
        """Whether a run has reached the metric's target."""
        value = self.best.best if self.best else None
        return self.target is not None and value is not None and reaches(self.goal, value, self.target)


def summarise(
    definition: SweepDefinition,
    runs: Sequence[Run],
    records: Mapping[str, Attempt],
    *,
    ref: SweepRef,
    state: SweepState,
    url: str,
    now: datetime,
    models: Mapping[str, str],
    launchers: Mapping[int, tuple[str, ...]] | None = None,
    scheduler_heard_at: datetime | None = None,
    weigh: bool = False,
) -> SweepStatus:
    """Put together what the server and this machine's workers know.

    Args:
        definition: The sweep.
        runs: Its runs and those attached to it, oldest first.
        records: What this machine's workers wrote, by run id.
        ref: The sweep's name.
        state: The sweep's state.
        url: The sweep's page.
        now: The time (aware).
        models: ONNX files on this machine, by run id.
        launchers: The slots of each launch under way on this machine, by its process.
        scheduler_heard_at: When its own scheduler was last heard.
        weigh: Whether to tell how much each parameter mattered; it takes up to a second, and three the first time.
    """
    prior, own = [run for run in runs if run.prior], [run for run in runs if not run.prior]
    shown = tuple(_run_status(run, definition, records.get(run.id), now) for run in own)
    best = best_run(own, definition.goal)
    return SweepStatus(
        sweep=ref.path,
        name=definition.name or "",
        url=url,
        state=state,
        method=definition.method,
        metric=definition.metric.name if definition.metric else "",
        goal=definition.goal,
        done=sum(run.state.ended for run in own),
        total=expected_runs(definition, runs),
        counts=dict(Counter(run.state.value for run in own)),
        best=next((status for status in shown if best and status.id == best.id), None),
        model=models.get(best.id, "") if best else "",
        elapsed_s=_elapsed_s(own, shown, now),
        runs=shown,
        stopped_early=sum(stopped_early(run) for run in own),
        saved_s=saved_seconds(own),
        fallbacks=dict(Counter(run.fallback for run in own if run.fallback)),
        importance=importance(definition, own) if weigh and definition.metric else None,
        prior=len(prior),
        prior_best=_best_value(prior, definition.goal),
        target=definition.metric.target if definition.metric else None,
        launchers=launchers or {},
        scheduler=definition.scheduler.engine if definition.scheduler else "",
        metrics={metric.name: metric.goal for metric in definition.metrics or ()},
        front=_front(definition, shown),
        scheduler_at_work=scheduler_heard_at is not None and now - scheduler_heard_at < SCHEDULER_HEARD,
    )


def _best_value(runs: Sequence[Run], goal: Goal) -> float | None:
    best = best_run(runs, goal)
    return best.best(goal) if best else None


def _front(definition: SweepDefinition, shown: Sequence[RunStatus]) -> tuple[RunStatus, ...]:
    """Find the runs that no other one beats, in the order of their first metric."""
    if definition.metrics is None:
        return ()
    values = [tuple(run.values.values()) for run in shown]
    places = front(values, [metric.goal for metric in definition.metrics])
    return tuple(shown[place] for place in sorted(places, key=lambda place: values[place]))


def _run_status(run: Run, definition: SweepDefinition, record: Attempt | None, now: datetime) -> RunStatus:
    return RunStatus(
        id=run.id,
        name=run.name,
        state=run.state,
        params={name: run.params[name] for name in definition.space.searched or run.params if name in run.params},
        best=run.best(definition.goal),
        last=run.history[-1] if run.history else None,
        duration_s=_duration_s(run, None if definition.scheduler else record, now),  # a worker waits for a scheduler
        slot=record.slot if record else "",
        reason=_reason(run, record) or _lacking(run, definition),
        log=record.log if record else "",
        kind=_kind(run, record),
        policy=record.policy.value if record and record.policy else "",
        attempts=record.attempt if record else 1,
        log_tail=record.log_tail if record else (),
        told_to_stop=run.state is RunState.RUNNING and bool(run.reason),
        stop=run.stop,
        losses=run.losses,
        values=dict(zip((metric.name for metric in definition.metrics or ()), run.values, strict=False)),
    )


def _duration_s(run: Run, record: Attempt | None, now: datetime) -> float | None:
    if record and record.wall_s is not None:
        return record.wall_s
    if run.state in {RunState.RUNNING, RunState.PREEMPTING} and run.created_at:
        return (now - run.created_at).total_seconds()
    return run.duration_s


def _reason(run: Run, record: Attempt | None) -> str:
    """Prefer the server's reason; a worker saw how its process ended, but only the server why it was stopped."""
    if record is None or record.outcome in {None, AttemptOutcome.FINISHED, AttemptOutcome.STOPPED}:
        return run.reason or ("every value of its metric was NaN or infinite" if _numberless(run) else "")
    return record.reason or run.reason


def _lacking(run: Run, definition: SweepDefinition) -> str:
    """Say why a finished run is not compared with the others, if it is not."""
    if run.state is not RunState.FINISHED or definition.metrics is None or run.values:
        return ""
    return f"ended without a finite value of {' and '.join(metric.name for metric in definition.metrics)}"


def _kind(run: Run, record: Attempt | None) -> str:
    if record and record.kind:
        return record.kind.value
    return Kind.NAN.value if _numberless(run) else ""


def _numberless(run: Run) -> bool:
    """Whether a run ended with nothing but NaN and infinities for its metric."""
    return run.state.ended and run.nonfinite > 0 and not run.history


def _elapsed_s(runs: Sequence[Run], shown: Sequence[RunStatus], now: datetime) -> float | None:
    starts = [run.created_at for run in runs if run.created_at]
    if not starts:
        return None
    if any(not run.state.ended for run in runs):
        return (now - min(starts)).total_seconds()
    ends = [
        (run.created_at - min(starts)).total_seconds() + (status.duration_s or 0.0)
        for run, status in zip(runs, shown, strict=True)
        if run.created_at
    ]
    return max(ends)
