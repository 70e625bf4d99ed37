"""What to stop: one run judged against the others, by the sweep's rule of early termination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sweeper.metric_value import Reading, finite
from sweeper.run import Run, RunState, StopDecision, best_value

if TYPE_CHECKING:  # the models of the file take long to import, and who asks for a decision has them
    from sweeper.definition.early_terminate import Missed, OthersAt, OwnAt, Reached, StoppingRule
    from sweeper.definition.metric import Metric
    from sweeper.definition.sweep_definition import SweepDefinition


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
    from sweeper.definition.early_terminate import Reached

    def reached(of: Run, values: Sequence[float], rung: int) -> Reached:
        if of.aggregate is not None and definition.metric is not None:
            word = definition.metric.name.rpartition(".")[2]
            so_far = Reading("", word).value(values[:rung], definition.goal)
            return Reached(so_far, so_far)
        return Reached(values[rung - 1], best_value(definition.goal, values[:rung]))

    others = [(peer, finite(peer.history)) for peer in peers if peer.id != run.id]

    def others_at(rung: int) -> list[Reached]:
        return [reached(peer, values, rung) for peer, values in others if len(values) >= rung]

    logged = finite(run.history)
    # the server counts NaN apart; a history from elsewhere may still hold some
    bad = run.nonfinite + len(run.history) - len(logged)
    at = partial(reached, run, logged)
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
    # from here on less is better, whatever the goal
    others = partial(_signed, others_at, metric.sign)
    for rung in rule.judged_at(run.before, run.now):
        if missed := rule.missed(rung, lambda n: _turned(run.at(n), metric.sign), others):
            return _decision(metric, run, rule, missed)
    return None


def _turned(reached: Reached, sign: float) -> Reached:
    return reached._replace(value=sign * reached.value, best=sign * reached.best)


def _signed(others_at: OthersAt, sign: float, rung: int) -> list[Reached]:
    return [_turned(other, sign) for other in others_at(rung)]


def _decision(metric: Metric, run: Judged, rule: StoppingRule, missed: Missed) -> StopDecision:
    worse = ">" if metric.sign > 0 else "<"
    value, threshold = metric.sign * missed.value, metric.sign * missed.threshold
    reason = f"{rule.type} rung {missed.rung}: {metric.name} {value:.4g} {worse} {threshold:.4g}, {missed.bar}"
    return StopDecision(run.id, reason, rule.type, missed.rung, value, threshold, missed.n)


def _no_number(rule: StoppingRule, run: Judged, metric: str) -> StopDecision | None:
    """Stop a run that has logged nothing but NaN and infinities by its first rung.

    W&B never does: no such value counts as an iteration, so the run never comes to a rung, and costs as much as the
    best one. A run that has logged a single finite number is W&B's rule's business alone.
    """
    rung = rule.first_judged()
    if run.nonfinite < rung:
        return None
    reason = f"{rule.type} rung {rung}: {metric} was NaN or infinite all {run.nonfinite} times, never a finite number"
    return StopDecision(run.id, reason, rule.type, rung)
