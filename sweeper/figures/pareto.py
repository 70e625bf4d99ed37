"""Two metrics of every run against each other, and the front: the runs that no other one beats."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sweeper.figures.drawn_run import DrawnRun
from sweeper.figures.frame import Frame
from sweeper.figures.scales import robust
from sweeper.figures.svg import Figure, dot, dots, path
from sweeper.run import Goal

WIDTH, HEIGHT = 560, 340
MOST_RUNS = 3000


def pareto(
    runs: Sequence[DrawnRun], front: Collection[str], metrics: Sequence[tuple[str, Goal]], pair: tuple[int, int]
) -> Figure | None:
    """Draw one metric over another.

    Args:
        runs: The runs; those without a value of each metric are left out.
        front: Ids of those that no other one beats, in all metrics of the sweep.
        metrics: Names and directions, in the order of the values.
        pair: Which two to draw: the one to the right, and the one upwards.
    """
    right, up = pair
    valued = [run for run in runs if len(run.values) == len(metrics) and run.fate != "failed"]
    if not valued:
        return None
    shown = [run for run in valued if run.id in front] + [run for run in valued if run.id not in front][:MOST_RUNS]
    x, y = robust([run.values[right] for run in shown]), robust([run.values[up] for run in shown])
    frame = Frame(width=WIDTH, height=HEIGHT, x=x, y=y)
    placed = [(run, place) for run in shown if (place := frame.point(run.values[right], run.values[up]))]
    best = sorted((place, run.told) for run, place in placed if run.id in front)
    ends = [f"{name} ({'lower' if goal == 'minimize' else 'higher'} is better)" for name, goal in metrics]
    parts = [
        frame.ground(ends[up], ends[right]),
        dots([place for run, place in placed if run.id not in front], "waiting-line"),
        path([place for place, _ in best], "best run") if len(metrics) == 2 and len(best) > 1 else "",
        *(dot(*place, "hole", said) for place, said in best),
    ]
    beyond = len(valued) - len(placed)
    return Figure(
        name=f"front-{right + 1}-{up + 1}",
        title=f"{metrics[up][0]} over {metrics[right][0]}",
        description=f"{len(placed)} runs, {len(best)} of them on the front.",
        width=WIDTH,
        height=HEIGHT,
        body="".join(parts),
        note=f"{beyond} runs are not drawn." if beyond else "",
    )
