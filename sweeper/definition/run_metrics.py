"""What a run logged, seen as the metrics of its sweep: for the server, and for the client of any server."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.metric_value import final_values, finite, float_or_nan, in_summary, logged_kinds, may_aggregate, reading
from sweeper.run import Run, RunState

Ask = Callable[[], Mapping[str, Any]]


def measured(run: Run, definition: SweepDefinition, values: Iterable[object], *, keys: Ask, summary: Ask) -> Run:
    """Give a run its values of its sweep's metrics, and what it logged if it finished without.

    Args:
        run: The run without them; `nonfinite` counts what is not in `values`.
        definition: The sweep.
        values: What its history holds where `metric_value.reading` finds the metric; of several metrics nothing.
        keys: Gives the statistics of its history (`historyKeys`).
        summary: Gives its summary; like `keys` it is asked for only where it matters, as reading it takes time.
    """
    read = _several(run, definition, summary) if definition.metrics else _one(run, definition, values, keys, summary)
    return replace(read, logged=logged_kinds(keys(), summary())) if read.lacks else read


def _one(run: Run, definition: SweepDefinition, values: Iterable[object], keys: Ask, summary: Ask) -> Run:
    metric, logged = definition.metric, list(values)
    if metric is None:
        return run
    found = None
    if logged and may_aggregate(metric.name):
        found = reading(metric.name, keys().get("keys", {}))
    if not logged and run.state.ended:
        logged = [in_summary(summary(), metric.name, metric.goal)]
    history = finite(logged)
    nonfinite = run.nonfinite + sum(
        number is not None and not math.isfinite(number) for number in map(float_or_nan, logged)
    )
    return replace(
        run,
        history=history,
        nonfinite=nonfinite,
        aggregate=found.value(history, metric.goal) if found and found.aggregate and history else None,
        lacks=(metric.name,) if run.state is RunState.FINISHED and not (history or nonfinite) else (),
    )


def _several(run: Run, definition: SweepDefinition, summary: Ask) -> Run:
    """Read several metrics: the values of a run belong together, so they are its last ones."""
    if run.state is not RunState.FINISHED:
        return run
    goals = {metric.name: metric.goal for metric in definition.objectives}
    told = summary()
    values = final_values(told, goals)
    lacks = () if values else tuple(name for name, goal in goals.items() if not finite([in_summary(told, name, goal)]))
    return replace(run, values=values, lacks=lacks)
