"""A sweep's status as a pure function of what its server and this machine's workers say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sweeper.backend.sweep_view import SweepView
from sweeper.definition.outline import Outline
from sweeper.journal.attempt import Attempt, AttemptOutcome, spent
from sweeper.journal.failures import Kind
from sweeper.results.climb import climb
from sweeper.results.failure_groups import failure_groups
from sweeper.results.living import LivingLaunch, gpus_of, planned_runs, slot_rows
from sweeper.results.status import RunCounts, RunStatus, SearchStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import Goal, Run, RunState, SweepState, best_run
from sweeper.search.eta import eta_s
from sweeper.search.history_gap import gap_of, usual_iterations, why_not_whole
from sweeper.search.missing_metric import missing_metrics
from sweeper.search.savings import saved_seconds, stopped_early

if TYPE_CHECKING:
    from sweeper.search.importance import Importance

SCHEDULER_HEARD = timedelta(seconds=75)
"""A scheduler that was heard within this time is at work: its run reports every 30 s (wandb 0.31)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalView:
    """What this machine knows about a sweep.

    Attributes:
        attempts: What its workers wrote last, by run id.
        spent: How long the attempts that have ended took together, in seconds, by run id.
        models: ONNX files that were downloaded, by run id.
        launchers: The slots of each launch under way, by its process.
        living: The same launches, with what each of them is at.
    """

    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    spent: Mapping[str, float] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    launchers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    living: tuple[LivingLaunch, ...] = ()

    def seconds_of(self, run_id: str, now: datetime) -> float | None:
        """Say for how long a run was at work here, in all its attempts; None if that is not known.

        What lay between two attempts, a night perhaps, is none of its time.
        """
        attempt = self.attempts.get(run_id)
        known = self.spent or spent([attempt] if attempt else [])
        if attempt and self.is_open(run_id):
            return known.get(run_id, 0.0) + max(0.0, now.timestamp() - attempt.at)
        return known.get(run_id)

    def is_open(self, run_id: str) -> bool:
        """Whether a launch has yet to say how a run's attempt ended; one that was killed never will."""
        attempt = self.attempts.get(run_id)
        if attempt is None or attempt.outcome is not None:
            return False
        return any(attempt.slot in slots for slots in self.launchers.values())


def summarise(view: SweepView, here: LocalView, *, now: datetime, weigh: bool = False) -> SweepStatus:
    """Put together what the server and this machine know.

    Args:
        view: What the server says.
        here: What this machine knows.
        now: The time (aware).
        weigh: Whether to tell how much each parameter mattered; it takes up to a second, and three the first time.
    """
    outline = view.outline
    own = [run for run in view.runs if not run.prior]
    usual = usual_iterations(own)
    shown = tuple(_run_status(run, outline, here, now, usual) for run in own)
    standing = _standing(view, shown)
    return SweepStatus(
        facts=_facts(view),
        progress=_progress(view, own, shown, here, now),
        standing=standing,
        search=SearchStatus(
            stopped_early=sum(stopped_early(run) for run in own),
            saved_s=saved_seconds(own),
            fallbacks=dict(Counter(run.fallback for run in own if run.fallback)),
            importance=_importance(view, own) if weigh and outline.metric else None,
            scheduler=outline.engine,
            scheduler_at_work=view.scheduler_heard_at is not None and now - view.scheduler_heard_at < SCHEDULER_HEARD,
        ),
        runs=shown,
        model=here.models.get(standing.best.id, "") if standing.best else "",
        launchers=here.launchers,
        closing=frozenset(run.id for run in own if run.state.ended and here.is_open(run.id)),
        missing_metrics=missing_metrics(outline, own),
        failures=failure_groups(shown),
        slots=slot_rows(here.living, here.attempts.values(), shown, now=now),
        read_at=now,
    )


def _progress(
    view: SweepView, own: Sequence[Run], shown: Sequence[RunStatus], here: LocalView, now: datetime
) -> RunCounts:
    planned = planned_runs(view.expected_runs, shown, here.living)
    slots = sum(len(launch.devices) for launch in here.living)
    goes_on = not view.state.ended and view.state is not SweepState.PAUSED
    used_s = sum((run.duration_s or 0.0) * gpus_of(run.slot) for run in shown)
    return RunCounts(
        done=sum(run.state.ended for run in own),
        total=view.expected_runs,
        counts=dict(Counter(run.state.value for run in own)),
        elapsed_s=_elapsed_s(own, shown, now),
        planned=planned,
        eta_s=eta_s(shown, planned, max(slots, sum(run.at_work for run in shown))) if goes_on else None,
        gpu_hours_used=used_s / 3600,
    )


def _importance(view: SweepView, own: Sequence[Run]) -> tuple[Importance, ...]:
    from sweeper.search.importance import importance  # brings the models of the file, which take long to import

    return importance(view.whole_definition, own)


def _facts(view: SweepView) -> SweepFacts:
    outline = view.outline
    return SweepFacts(
        sweep=view.ref.path,
        name=outline.name,
        url=view.url,
        state=view.state,
        method=outline.method,
        metric=outline.metric.name if outline.metric else "",
        goal=outline.goal,
        target=outline.metric.target if outline.metric else None,
        metrics=outline.metrics,
        run_cap=outline.run_cap,
        steered=outline.steered,
    )


def _standing(view: SweepView, shown: Sequence[RunStatus]) -> Standing:
    """Rank the sweep's own runs, and count those attached to it apart."""
    goal = view.outline.goal
    best = best_run((run for run in view.runs if not run.prior), goal)
    prior = [run for run in view.runs if run.prior]
    leader = next((status for status in shown if best and status.id == best.id), None)
    return Standing(
        best=leader,
        best_since=leader.ended_at if leader else None,
        climb=() if view.outline.several else climb(shown, goal),
        front=_front(view.outline, shown),
        prior=len(prior),
        prior_best=_best_value(prior, goal),
    )


def _best_value(runs: Sequence[Run], goal: Goal) -> float | None:
    best = best_run(runs, goal)
    return best.best(goal) if best else None


def _front(outline: Outline, shown: Sequence[RunStatus]) -> tuple[RunStatus, ...]:
    """Find the runs that no other one beats, in the order of their first metric."""
    if not outline.several:
        return ()
    from sweeper.search.pareto_front import front  # with NumPy

    values = [tuple(run.values.values()) for run in shown]
    places = front(values, list(outline.metrics.values()))
    return tuple(shown[place] for place in sorted(places, key=lambda place: values[place]))


def _run_status(run: Run, outline: Outline, here: LocalView, now: datetime, usual: int | None) -> RunStatus:
    record = here.attempts.get(run.id)
    return RunStatus(
        id=run.id,
        name=run.name,
        state=run.state,
        # what a file only fixes is the same in every row; a scheduler's own search space names nothing, so all is shown
        params={name: run.params[name] for name in outline.searched or run.params if name in run.params},
        best=run.best(outline.goal),
        last=run.last,
        duration_s=_duration_s(run, here.seconds_of(run.id, now), now),
        slot=record.slot if record else "",
        reason=_reason(run, record, usual),
        log=record.log if record else "",
        kind=_kind(run, record),
        policy=record.policy.value if record and record.policy else "",
        attempts=record.attempt if record else 1,
        log_tail=record.log_tail if record else (),
        # the reason is there before the end: the server has decided, and the run has not heard it yet
        told_to_stop=run.state is RunState.RUNNING and bool(run.reason),
        stop=run.stop,
        losses=run.losses,
        values=dict(zip(outline.metrics, run.values, strict=False)),
        lacks=run.lacks,
        iterations=run.iterations,
        created_at=run.created_at,
        ended_at=_ended_at(run, record),
        heard_at=run.heard_at,
        gap=gap_of(run, usual),
    )


def _ended_at(run: Run, record: Attempt | None) -> datetime | None:
    if not run.state.ended:
        return None
    if record and record.outcome is not None:
        return datetime.fromtimestamp(record.at, UTC)
    # of a run that went on another day, its server counts the time between as well
    return run.created_at + timedelta(seconds=run.duration_s or 0.0) if run.created_at else None


def _duration_s(run: Run, here_s: float | None, now: datetime) -> float | None:
    # the server's time ends with the last sign of life, the worker's with the trainer
    if here_s is not None:
        return here_s
    if run.state in {RunState.RUNNING, RunState.PREEMPTING} and run.created_at:
        return (now - run.created_at).total_seconds()
    return run.duration_s


def _reason(run: Run, record: Attempt | None, usual: int | None) -> str:
    """Prefer the server's reason; a worker saw how its process ended, but only the server why it was stopped."""
    if record is None or record.outcome in {None, AttemptOutcome.FINISHED, AttemptOutcome.STOPPED}:
        return run.reason or why_not_whole(run, usual)
    return record.reason or run.reason


def _kind(run: Run, record: Attempt | None) -> str:
    if record and record.kind:
        return record.kind.value
    return Kind.NAN.value if run.numberless else ""


def _elapsed_s(runs: Sequence[Run], shown: Sequence[RunStatus], now: datetime) -> float | None:
    starts = [run.created_at for run in runs if run.created_at]
    if not starts:
        return None
    began = min(starts)  # once: for each run it would be the square of them
    if any(not run.state.ended for run in runs):  # the clock runs as long as one of them does
        return (now - began).total_seconds()
    ends = [
        (run.created_at - began).total_seconds() + (status.duration_s or 0.0)
        for run, status in zip(runs, shown, strict=True)
        if run.created_at
    ]
    return max(ends)
