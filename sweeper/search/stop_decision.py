"""What to stop: one run judged against the others, by the sweep's rule of early termination."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sweeper.definition.early_terminate import Asha, Hyperband, Median, StoppingRule
from sweeper.definition.metric import Metric
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState, StopDecision, best_value, finite
from sweeper.search.rungs import rungs, share_threshold, wandb_threshold


class Reached(NamedTuple):
    """What a run had logged when it got to an iteration.

    Attributes:
        value: The metric at this iteration.
        best: The best until then.
    """

    value: float
    best: float


OwnAt = Callable[[int], Reached]
"""Looks up a run at an iteration that it got to."""
OthersAt = Callable[[int], Sequence[Reached]]
"""Looks up the other runs at an iteration: those that got that far, in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A running run, as far as a rule needs it.

    Attributes:
        id: Its id.
        before: How many values it had logged before the last delivery.
        now: How many it has logged.
        at: What it had logged at an iteration up to `now`.
        nonfinite: How often it logged NaN or infinities; counts only if it has logged no number.
    """

    id: str
    before: int
    now: int
    at: OwnAt
    nonfinite: int = 0


@dataclass(frozen=True, slots=True)
class _Failed:
    """A comparison that a run failed; of `value` and `threshold`, less is better."""

    rung: int
    value: float
    threshold: float
    n: int
    bar: str


def stop_decision(definition: SweepDefinition, run: Run, peers: Sequence[Run]) -> StopDecision | None:
    """Judge one run by what it has logged so far.

    Args:
        definition: The sweep.
        run: The run in question; only a running one can be stopped. Its last value is taken to have just come in.
        peers: All runs of the sweep in any state, the run itself included or not.

    Returns:
        The decision to stop with its reason, or None to let it go on. Ties go on; so does the first at a rung.
    """
    if run.state is not RunState.RUNNING:
        return None

    def reached(values: Sequence[float], rung: int) -> Reached:
        return Reached(values[rung - 1], best_value(definition.goal, values[:rung]))

    others = [finite(peer.history) for peer in peers if peer.id != run.id]

    def others_at(rung: int) -> list[Reached]:
        return [reached(values, rung) for values in others if len(values) >= rung]

    logged = finite(run.history)
    bad = run.nonfinite + len(run.history) - len(logged)
    at = partial(reached, logged)
    judged = Judged(id=run.id, before=len(logged) - 1, now=len(logged), at=at, nonfinite=bad)
    return judge(definition, judged, others_at)


def judge(definition: SweepDefinition, run: Judged, others_at: OthersAt) -> StopDecision | None:
    """Do what `stop_decision` does for a caller that looks up values, one iteration at a time.

    Args:
        definition: The sweep.
        run: The run in question.
        others_at: The other runs.
    """
    rule, metric = definition.stopping, definition.metric
    if rule is None or metric is None:
        return None
    if not run.now:
        return _no_number(rule, run, metric.name)
    others = partial(_signed, others_at, metric.sign)
    for rung in judged_at(rule, run.before, run.now):
        if failed := _compare(rule, rung, lambda n: _turned(run.at(n), metric.sign), others):
            return _decision(metric, run, rule, failed)
    return None


def _turned(reached: Reached, sign: float) -> Reached:
    return Reached(sign * reached.value, sign * reached.best)


def _signed(others_at: OthersAt, sign: float, rung: int) -> list[Reached]:
    return [_turned(other, sign) for other in others_at(rung)]


def _decision(metric: Metric, run: Judged, rule: StoppingRule, failed: _Failed) -> StopDecision:
    worse = ">" if metric.sign > 0 else "<"
    value, threshold = metric.sign * failed.value, metric.sign * failed.threshold
    reason = f"{rule.type} rung {failed.rung}: {metric.name} {value:.4g} {worse} {threshold:.4g}, {failed.bar}"
    return StopDecision(run.id, reason, rule.type, failed.rung, value, threshold, failed.n)


def judged_at(rule: StoppingRule, before: int, now: int) -> tuple[int, ...]:
    """List the iterations at which to judge a run whose values after `before` and up to `now` have just come in.

    W&B's rule looks at a run again whenever it is asked, with what the others have logged in the meantime. ASHA judges
    each rung once, when it is reached: several may fall into one delivery. The median judges its last value.
    """
    if isinstance(rule, Asha):
        return tuple(rung for rung in rungs(rule) if before < rung <= now)
    if isinstance(rule, Median):
        return (now,) if now > before else ()
    return (now,)


def _no_number(rule: StoppingRule, run: Judged, metric: str) -> StopDecision | None:
    """Stop a run that has logged nothing but NaN and infinities by its first rung.

    W&B never does: no such value counts as an iteration, so the run never comes to a rung, and costs as much as the
    best one. A run that has logged a single finite number is W&B's rule's business alone.
    """
    rung = rule.warm_up + 1 if isinstance(rule, Median) else rungs(rule)[0]
    if run.nonfinite < rung:
        return None
    reason = f"{rule.type} rung {rung}: {metric} was NaN or infinite all {run.nonfinite} times, never a finite number"
    return StopDecision(run.id, reason, rule.type, rung)


def _compare(rule: StoppingRule, now: int, own_at: OwnAt, others_at: OthersAt) -> _Failed | None:
    match rule:
        case Hyperband():
            return _hyperband(rule, now, own_at, others_at)
        case Asha():
            return _among_best(1 / rule.eta, now, own_at, others_at(now), f"the best 1/{rule.eta:g}")
        case Median():
            return _median(rule, now, own_at, others_at)


def _hyperband(rule: Hyperband, now: int, own_at: OwnAt, others_at: OthersAt) -> _Failed | None:
    """Judge a run at the highest rung it has reached, however long ago, by W&B's comparison."""
    rung = max((rung for rung in rungs(rule) if rung <= now), default=None)
    if rung is None:
        return None
    then = own_at(rung).value
    values = [then, *(other.value for other in others_at(rung))]
    threshold = wandb_threshold(values, rule.eta)
    value = then if rule.strict else own_at(now).best
    bar = f"the best 1/{rule.eta:g} of {len(values)} runs"
    return _Failed(rung, value, threshold, len(values), bar) if value > threshold else None


def _median(rule: Median, now: int, own_at: OwnAt, others_at: OthersAt) -> _Failed | None:
    """Judge a run at its last iteration, unless it is too early or there are too few to compare with."""
    if now <= rule.warm_up:
        return None
    others = others_at(now)
    if len(others) < rule.min_runs:
        return None
    return _among_best(rule.percentile / 100, now, own_at, others, f"the best {rule.percentile:g}%")


def _among_best(share: float, now: int, own_at: OwnAt, others: Sequence[Reached], bar: str) -> _Failed | None:
    """Compare best values so far: by its best value a run counts in the end, so a dip is no reason to stop."""
    value = own_at(now).best
    values = [value, *(other.best for other in others)]
    threshold = share_threshold(values, share)
    if value <= threshold:
        return None
    return _Failed(now, value, threshold, len(values), f"{bar} of {len(values)} runs")
