"""Parallel coordinates: an axis per parameter and one for the metric, a line per run."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sweeper.figures.drawn_run import MANY, TOP, DrawnRun, foremost, shades
from sweeper.figures.frame import scale_of_values
from sweeper.figures.scales import ListScale, ParameterAxis, Scale, places, robust
from sweeper.figures.svg import Figure, at, hover, label, line
from sweeper.run import Goal

WIDTH, HEIGHT = 1140, 380
LEFT, RIGHT, TOP_Y, BOTTOM_Y = 70, 80, 66, 336
NONE_Y = 362
"""Where lines go through that have no value on an axis: a parameter that was not active, a metric never logged."""
MOST_RUNS, MOST_AXES = 1000, 12
JITTER = 5.0
"""How far apart lines through one listed value may lie, in pixels."""

_Drawn = tuple[str, Scale, list[float | None]]


def parallel_coordinates(
    runs: Sequence[DrawnRun], axes: Sequence[ParameterAxis], metric: str, goal: Goal
) -> Figure | None:
    """Draw a line per run, coloured by its value; the best ten above the rest; None where nothing varies.

    Args:
        runs: The runs.
        axes: The parameters that vary, the most important first.
        metric: The metric's name; empty where there is none, and then lines have no colour.
        goal: In which direction.
    """
    shown, note = foremost([run for run in runs if run.fate != "waiting"], goal, MOST_RUNS)
    if not shown or not axes:
        return None
    if len(axes) > MOST_AXES:
        note = f"{note} The first {MOST_AXES} of {len(axes)} parameters that vary.".strip()
    drawn = [_axis(axis, shown) for axis in axes[:MOST_AXES]]
    if metric:
        scale = robust([run.value for run in shown], margin=0.02)
        drawn.append((metric, scale, places(scale, [run.value for run in shown])))
    gap = (WIDTH - LEFT - RIGHT) / max(1, len(drawn) - 1)
    lines = _lines(shown, drawn, gap, goal if metric else None)
    parts = [_ground(drawn, gap), *lines, _labels(drawn, gap)]
    if metric:
        parts.append(scale_of_values(WIDTH - 44, 18, "worst", "best"))
    return Figure(
        name="parallel-coordinates",
        title="Parallel coordinates",
        description=f"{len(shown)} runs as lines over {', '.join(name for name, _, _ in drawn)}.",
        width=WIDTH,
        height=HEIGHT,
        body="".join(parts),
        note=note,
    )


def _axis(axis: ParameterAxis, runs: Sequence[DrawnRun]) -> _Drawn:
    scale = axis.scale([run.params[axis.name] for run in runs if axis.name in run.params])
    found = iter(places(scale, [run.params[axis.name] for run in runs if axis.name in run.params]))
    return axis.name, scale, [next(found) if axis.name in run.params else None for run in runs]


def _ground(drawn: Sequence[_Drawn], gap: float) -> str:
    parts = [label(4, 18, "a line is a run", "head")]
    for i, (_, _, found) in enumerate(drawn):
        x = LEFT + i * gap
        parts.append(line(x, TOP_Y, x, BOTTOM_Y, "axis"))
        if None in found:
            parts.append(label(x, NONE_Y + 14, "none", "small", anchor="middle"))
    return "".join(parts)


def _labels(drawn: Sequence[_Drawn], gap: float) -> str:
    """Write names and ticks, above the lines, or a thousand of them would hide what they say."""
    parts = []
    for i, (name, scale, _) in enumerate(drawn):
        x, last = LEFT + i * gap, i == len(drawn) - 1
        parts.append(label(x, TOP_Y - 20, name, "name", anchor="middle", room=min(gap, 150) - 6))
        if not isinstance(scale, ListScale) and scale.log:
            parts.append(label(x, TOP_Y - 7, "log", "small", anchor="middle"))
        for share, said in scale.ticks():
            y = _y(share)
            parts.append(f'<path class="axis" d="M{at(x - 3)} {at(y)}h6"/>')
            room = RIGHT - 10 if last else min(gap, 120) - 12
            parts.append(label(x + 6, y + 4, said, "small tick", room=room, size=11))
    return "".join(parts)


def _y(share: float) -> float:
    return BOTTOM_Y - share * (BOTTOM_Y - TOP_Y)


def _lines(runs: Sequence[DrawnRun], drawn: Sequence[_Drawn], gap: float, goal: Goal | None) -> list[str]:
    steps = shades(runs, goal) if goal else {}
    rng = random.Random(0)  # noqa: S311 no secret: the same runs give the same picture
    found = []
    for rank, run in enumerate(runs):
        points = []
        for i, (_, scale, shares) in enumerate(drawn):
            share = shares[rank]
            spread = rng.uniform(-JITTER, JITTER) if isinstance(scale, ListScale) and len(runs) > TOP else 0.0
            y = NONE_Y if share is None else _y(share) + spread
            points.append(f"{round(LEFT + i * gap)} {round(y)}")
        found.append(_line(run, "L".join(points), rank, steps))
    return found[::-1]  # the best last: above the others


def _line(run: DrawnRun, points: str, rank: int, steps: dict[str, int]) -> str:
    if run.fate == "failed":
        kind = "lost"
    else:
        colour = f"v{steps[run.id]}" if run.id in steps else "waiting-line" if steps else "bare"
        early = " early" if run.fate == "stopped" else ""
        top, usual = rank < TOP and run.id in steps, "run faint" if len(steps) > MANY else "run"
        kind = f"{'top' if top else usual} {colour}{early}"
    return f'<path class="{kind}" d="M{points}">{hover(run.told)}</path>'
