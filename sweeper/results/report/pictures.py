"""The figures of a report, by where they stand in it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sweeper.figures.best_so_far import best_so_far
from sweeper.figures.drawn_run import DrawnRun
from sweeper.figures.importance_bars import importance_bars
from sweeper.figures.learning_curves import learning_curves
from sweeper.figures.parallel_coordinates import parallel_coordinates
from sweeper.figures.pareto import pareto
from sweeper.figures.scales import ParameterAxis
from sweeper.figures.slices import slices
from sweeper.figures.svg import Figure
from sweeper.figures.timeline import timeline
from sweeper.results.report.facts import Report

MOST_PAIRS = 3
"""Pictures of two metrics each, of a sweep with more."""

Pictures = Mapping[str, Sequence[Figure]]


def pictures(report: Report) -> Pictures:
    """Draw what there is to draw; a place without data has no figure."""
    metric, goal = report.metric, report.goal
    found: dict[str, Sequence[Figure | None]] = {
        "best": [best_so_far(report.runs, metric, goal)] if metric else [],
        "parallel": [_parallel(report)],
        "importance": [importance_bars(report.weights)],
        "curves": [learning_curves(report.runs, report.curves, report.rungs, metric, goal)],
        "slices": slices(report.runs, report.axes, metric, goal) if metric else [],
        "front": _fronts(report),
        "timeline": [timeline(report.stretches, by_slot=report.by_slot)],
    }
    return {place: [figure for figure in figures if figure is not None] for place, figures in found.items()}


def _parallel(report: Report) -> Figure | None:
    """Draw the parameters; of several metrics, the others are axes too, and the first gives the colour."""
    others = list(report.status.facts.metrics)[1:]
    runs = [_with_metrics(run, others) for run in report.runs]
    return parallel_coordinates(runs, [*report.axes, *map(ParameterAxis, others)], report.metric, report.goal)


def _with_metrics(run: DrawnRun, others: Sequence[str]) -> DrawnRun:
    return replace(run, params={**run.params, **dict(zip(others, run.values[1:], strict=False))}) if others else run


def _fronts(report: Report) -> list[Figure | None]:
    metrics = list(report.status.facts.metrics.items())
    front = {run.id for run in report.status.standing.front}
    pairs = itertools.islice(itertools.combinations(range(len(metrics)), 2), MOST_PAIRS)
    return [pareto(report.runs, front, metrics, pair) for pair in pairs]
