"""Slices: the metric over one parameter, a small picture for each."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sweeper.figures.drawn_run import TOP, DrawnRun, foremost, shades
from sweeper.figures.frame import LEFT, RIGHT, Frame
from sweeper.figures.scales import ListScale, NumberScale, ParameterAxis, robust
from sweeper.figures.svg import Figure, dot, dots
from sweeper.run import Goal

WIDTH, HEIGHT = 360, 240
MOST_RUNS, MOST_SLICES = 1500, 12


def slices(runs: Sequence[DrawnRun], axes: Sequence[ParameterAxis], metric: str, goal: Goal) -> list[Figure]:
    """Draw the metric over each parameter, on one scale, so that they can be compared; without values, nothing."""
    shown, note = foremost([run for run in runs if run.leads], goal, MOST_RUNS)
    if not shown:
        return []
    y = robust([run.value for run in shown], keep=[shown[0].value])
    steps = shades(shown, goal)
    return [
        replace(_slice(axis, shown, y, steps, metric), name=f"slice-{place}", note=note)
        for place, axis in enumerate(axes[:MOST_SLICES], start=1)
    ]


def _slice(
    axis: ParameterAxis, runs: Sequence[DrawnRun], y: NumberScale, steps: Mapping[str, int], metric: str
) -> Figure:
    having = [run for run in runs if axis.name in run.params]
    scale = axis.scale([run.params[axis.name] for run in having])
    frame = Frame(width=WIDTH, height=HEIGHT, x=scale, y=y)
    share = (WIDTH - LEFT - RIGHT) / len(scale.values) if isinstance(scale, ListScale) else 0.0
    spread = 0.3 * min(share, 60) if len(having) > TOP else 0.0
    rng = random.Random(0)  # noqa: S311 no secret: the same runs give the same picture
    by_shade: dict[int, list[tuple[float, float]]] = defaultdict(list)
    tops = []
    for rank, run in enumerate(having):
        if (point := frame.point(run.params[axis.name], run.value)) is None:
            continue
        x, up = point[0] + rng.uniform(-spread, spread), point[1]
        if rank < TOP:
            tops.append(dot(x, up, f"d{steps[run.id]} ring", run.told, 4.5))
        else:
            by_shade[steps[run.id]].append((x, up))
    log = " (log)" if isinstance(scale, NumberScale) and scale.log else ""
    below = [dots(points, f"v{step}") for step, points in sorted(by_shade.items())]
    return Figure(
        name="slice",
        title=f"{metric} over {axis.name}",
        description=f"{metric} of {len(having)} runs over {axis.name}.",
        width=WIDTH,
        height=HEIGHT,
        body=frame.ground(metric, f"{axis.name}{log}") + "".join(below + tops[::-1]),
    )
