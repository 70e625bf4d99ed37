"""Metrics that nobody logs: the search learns nothing then, and no run is the best; somebody has to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeper.metric_value import reading
from sweeper.nearest import nearest
from sweeper.run import Run

if TYPE_CHECKING:
    from sweeper.definition.outline import Outline
    from sweeper.definition.sweep_definition import SweepDefinition

SHOWN = 8
"""So many of the logged keys are named in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMetric:
    """A metric that no run of a sweep has logged, although one has finished.

    Attributes:
        metric: Its name in the sweep file.
        run: The first run that finished without it.
        logged: The keys that this run logged instead, `meant` first, then numbers.
        meant: The one of them that may be the metric; empty if none is like it.
        message: All of this in a line.
    """

    metric: str
    run: str
    logged: tuple[str, ...]
    meant: str
    message: str


def missing_metrics(definition: SweepDefinition | Outline, runs: Sequence[Run]) -> tuple[MissingMetric, ...]:
    """List the metrics of a sweep that runs finished without and that none of its own runs has ever logged."""
    found = []
    own = [run for run in runs if not run.prior]
    for metric in definition.objectives:
        without = [run for run in own if metric.name in run.lacks and run.logged.get(metric.name) != "number"]
        if without and not any(_has(run, metric.name, definition) for run in own):
            found.append(_missing(metric.name, without[0]))
    return tuple(found)


def _has(run: Run, metric: str, definition: SweepDefinition | Outline) -> bool:
    """Whether a run has logged numbers as a metric, be they NaN; of several metrics only finished runs tell."""
    if not definition.several:
        return bool(run.iterations or run.nonfinite)
    told = bool(run.values or run.lacks) and metric not in run.lacks
    return told or run.logged.get(metric) == "number"


def _missing(metric: str, run: Run) -> MissingMetric:
    meant = nearest(metric, [key for key, kind in run.logged.items() if kind == "number"])
    logged = dict(sorted(run.logged.items(), key=lambda pair: pair[0] != meant))
    message = f"run {run.id} {_what(metric, logged, meant)}"
    return MissingMetric(metric=metric, run=run.id, logged=tuple(logged), meant=meant, message=message)


def _what(metric: str, logged: Mapping[str, Any], meant: str) -> str:
    if kind := logged.get(metric):
        return f"logged `{metric}` as {kind}, never as a number: log `float(value)`"
    if aggregate := reading(metric, logged).aggregate:  # of several metrics the summary alone counts
        key = metric.rpartition(".")[0]
        return f'has no `{metric}` in its summary: add `run.define_metric("{key}", summary="{aggregate}")`'
    if not logged:
        return f'never logged `{metric}`; it logged nothing: call `run.log({{"{metric}": value}})`'
    more = f" and {len(logged) - SHOWN} more" if len(logged) > SHOWN else ""
    listed = ", ".join(f"`{key}`" for key in list(logged)[:SHOWN]) + more
    advice = f"did you mean `{meant}`?" if meant else f"log `{metric}`, or name one of these as the metric"
    return f"never logged `{metric}`; it logged {listed}: {advice}"


def why_no_value(run: Run) -> str:
    """Say why an ended run is not compared with the others; empty if it is, or if it is known to have failed."""
    if run.lacks:
        kinds = {run.logged[name] for name in run.lacks if name in run.logged} - {"number"}
        as_what = f": it was {' and '.join(sorted(kinds))}, no number" if kinds else ""
        return f"finished without a value of {' and '.join(f'`{name}`' for name in run.lacks)}{as_what}"
    if run.numberless:
        return "every value of its metric was NaN or infinite"
    return ""
