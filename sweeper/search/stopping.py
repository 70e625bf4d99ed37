"""What to stop: one run judged against the others, by the sweep's rule of early termination."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sweeper.definition import SweepDefinition
from sweeper.run import Run, RunState, StopDecision, finite
from sweeper.search.hyperband import asha_threshold, rungs, wandb_threshold
from sweeper.stopping import Asha, Hyperband, Median, StoppingRule

ValuesAt = Callable[[int], Sequence[float]]
"""Gives the metric of the other runs at an iteration, of those that got that far, in any order."""


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
        run: The run in question; only a running one can be stopped.
        peers: All runs of the sweep in any state, the run itself included or not.

    Returns:
        The decision to stop with its reason, or None to let it go on. Ties go on; so does the first at a rung.
    """
    others = [finite(peer.history) for peer in peers if peer.id != run.id]
    logged = finite(run.history)
    run = replace(run, history=logged, nonfinite=run.nonfinite + len(run.history) - len(logged))
    return decide(definition, run, lambda rung: [values[rung - 1] for values in others if len(values) >= rung])


def decide(definition: SweepDefinition, run: Run, others_at: ValuesAt) -> StopDecision | None:
    """Do what `stop_decision` does for a caller that can look up the others' values, one iteration at a time."""
    rule, metric = definition.stopping, definition.metric
    if rule is None or metric is None or run.state is not RunState.RUNNING:
        return None
    if not run.history:
        return _no_number(rule, run, metric.name)
    sign = 1.0 if definition.goal == "minimize" else -1.0
    own = [sign * value for value in run.history]
    failed = _compare(rule, own, lambda rung: [sign * value for value in others_at(rung)])
    if failed is None:
        return None
    value, threshold = sign * failed.value, sign * failed.threshold
    worse = ">" if definition.goal == "minimize" else "<"
    reason = f"{rule.type} rung {failed.rung}: {metric.name} {value:.4g} {worse} {threshold:.4g}, {failed.bar}"
    return StopDecision(run.id, reason, rule.type, failed.rung, value, threshold, failed.n)


def judged_at(rule: StoppingRule, before: int, now: int) -> tuple[int, ...]:
    """List the iterations at which to judge a run whose values after `before` and up to `now` have just come in.

    W&B's rule looks at a run again whenever it is asked, with what the others have logged in the meantime. The other
    two judge each iteration once, when it is reached, so several rungs may fall into one delivery.
    """
    if isinstance(rule, Asha):
        return tuple(rung for rung in rungs(rule) if before < rung <= now)
    if isinstance(rule, Median):
        return (now,) if now > before else ()
    return (now,)


def _no_number(rule: StoppingRule, run: Run, metric: str) -> StopDecision | None:
    """Stop a run that has logged nothing but NaN and infinities by its first rung.

    W&B never does: no such value counts as an iteration, so the run never comes to a rung, and costs as much as the
    best one. A run that has logged a single finite number is W&B's rule's business alone.
    """
    rung = rule.warm_up + 1 if isinstance(rule, Median) else rungs(rule)[0]
    if run.nonfinite < rung:
        return None
    reason = f"{rule.type} rung {rung}: {metric} was NaN or infinite all {run.nonfinite} times, never a finite number"
    return StopDecision(run.id, reason, rule.type, rung)


def _compare(rule: StoppingRule, own: Sequence[float], others_at: ValuesAt) -> _Failed | None:
    match rule:
        case Hyperband():
            return _hyperband(rule, own, others_at)
        case Asha():
            return _asha(rule, own, others_at)
        case Median():
            return _median(rule, own, others_at)


def _hyperband(rule: Hyperband, own: Sequence[float], others_at: ValuesAt) -> _Failed | None:
    """Judge a run at the highest rung it has reached, however long ago."""
    rung = max((rung for rung in rungs(rule) if rung <= len(own)), default=None)
    if rung is None:
        return None
    values = [*others_at(rung), own[rung - 1]]
    threshold = wandb_threshold(values, rule.eta)
    value = own[rung - 1] if rule.strict else min(own)
    bar = f"the best 1/{rule.eta:g} of {len(values)} runs"
    return _Failed(rung, value, threshold, len(values), bar) if value > threshold else None


def _asha(rule: Asha, own: Sequence[float], others_at: ValuesAt) -> _Failed | None:
    """Judge a run that has just reached a rung."""
    rung = len(own)
    if rung not in rungs(rule):
        return None
    values = [*others_at(rung), own[-1]]
    threshold = asha_threshold(values, rule.eta)
    bar = f"the best 1/{rule.eta:g} of {len(values)} runs"
    return _Failed(rung, own[-1], threshold, len(values), bar) if own[-1] > threshold else None


def _median(rule: Median, own: Sequence[float], others_at: ValuesAt) -> _Failed | None:
    """Judge a run by its last value."""
    rung = len(own)
    if rung <= rule.warm_up:
        return None
    values = others_at(rung)
    if len(values) < rule.min_runs:
        return None
    threshold = statistics.median(values)
    bar = f"the median of {len(values)} other runs"
    return _Failed(rung, own[-1], threshold, len(values) + 1, bar) if own[-1] > threshold else None
