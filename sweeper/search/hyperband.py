"""Early termination as W&B does it (`sweeps` 0.3.0): one ladder of rungs, judged on the metric's logged values.

Despite the name it is one asynchronous successive-halving ladder (Li et al., arXiv 1810.05934) with R = max_iter,
eta, and s rungs below R. An iteration is the n-th finite logged value of the metric, not W&B's `_step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.stopping import Hyperband

MAX_RUNGS = 100


@dataclass(frozen=True, slots=True)
class StopDecision:
    """Early termination of one run.

    Attributes:
        run_id: The run to stop.
        reason: Why, in numbers; never empty.
    """

    run_id: str
    reason: str


def rungs(rule: Hyperband) -> tuple[int, ...]:
    """List the rungs, lowest first, in iterations.

    From `min_iter`: min_iter * eta^i, cut to integers. From `max_iter`: max_iter / eta^i, i = 1..s, while at least 1.
    """
    if rule.max_iter is not None and rule.s is not None:
        below = (rule.max_iter / rule.eta**i for i in range(1, rule.s + 1))
        return tuple(sorted({int(rung) for rung in below if rung >= 1}))
    first = rule.min_iter or 1
    return tuple(int(first * rule.eta**i) for i in range(MAX_RUNGS) if first * rule.eta**i < 1e15)


def stop_decision(definition: SweepDefinition, run: Run, peers: Sequence[Run]) -> StopDecision | None:
    """Judge one run at the highest rung it has reached.

    Args:
        definition: The sweep.
        run: The run in question; only a running one can be stopped.
        peers: All runs of the sweep in any state, the run itself included or not.

    Returns:
        The decision to stop with its reason, or None to let it go on. Ties go on; so does the first at a rung.
    """
    rule = definition.early_terminate
    if rule is None or definition.metric is None or run.state is not RunState.RUNNING:
        return None
    reached = [rung for rung in rungs(rule) if rung <= len(run.history)]
    if not reached:
        return None
    rung = reached[-1]
    sign = 1.0 if definition.goal == "minimize" else -1.0
    others = [peer for peer in peers if peer.id != run.id]
    at_rung = sorted(sign * peer.history[rung - 1] for peer in [*others, run] if len(peer.history) >= rung)
    threshold = at_rung[int(len(at_rung) / rule.eta)]
    judged = sign * run.history[rung - 1] if rule.strict else min(sign * value for value in run.history)
    if judged <= threshold:
        return None
    worse = ">" if definition.goal == "minimize" else "<"
    reason = (
        f"hyperband rung {rung}: {definition.metric.name} {sign * judged:.4g} {worse} {sign * threshold:.4g}, "
        f"the best 1/{rule.eta:g} of {len(at_rung)} runs"
    )
    return StopDecision(run.id, reason)
