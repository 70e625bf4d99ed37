"""What a run logged, seen as the metrics of its sweep: for the server, and for the client of any server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.metric_value import counted, final_values, finite, in_summary, logged_kinds, may_aggregate, reading
from sweeper.run import Run, RunState

Ask = Callable[[], Mapping[str, Any]]


def measured(run: Run, definition: SweepDefinition, *, keys: Ask, summary: Ask) -> Run:
    """Complete what a run has of its sweep's metrics, and tell what it logged if it finished without.

    Args:
        run: The run, with the numbers that its history holds where `metric_value.reading` finds the metric.
        definition: The sweep.
        keys: Gives the statistics of its history (`historyKeys`).
        summary: Gives its summary; like `keys` it is asked for only where it matters, as reading it takes time.
    """
    read = _several(run, definition, summary) if definition.metrics else _one(run, definition, keys, summary)
    return replace(read, logged=logged_kinds(keys(), summary())) if read.lacks else read


def _one(run: Run, definition: SweepDefinition, keys: Ask, summary: Ask) -> Run:
    metric = definition.metric
    if metric is None:
        return run
    if run.iterations:
        found = reading(metric.name, keys().get("keys", {})) if may_aggregate(metric.name) else None
        return replace(run, aggregate=found.value(run.history, metric.goal)) if found and found.aggregate else run
    if not run.state.ended:
        return run
    history, nonfinite = counted([in_summary(summary(), metric.name, metric.goal)])
    nonfinite = run.nonfinite or nonfinite
    lacks = run.state is RunState.FINISHED and not (history or nonfinite)
    return replace(run, history=history, nonfinite=nonfinite, lacks=(metric.name,) if lacks else ())


def _several(run: Run, definition: SweepDefinition, summary: Ask) -> Run:
    """Read several metrics: the values of a run belong together, so they are its last ones."""
    if run.state is not RunState.FINISHED:
        return run
    goals = {metric.name: metric.goal for metric in definition.objectives}
    told = summary()
    values = final_values(told, goals)
    lacks = () if values else tuple(name for name, goal in goals.items() if not finite([in_summary(told, name, goal)]))
    return replace(run, values=values, lacks=lacks)
