"""The metric of many runs over their iterations: who learned how, and where early termination judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sweeper.figures.drawn_run import MANY, TOP, DrawnRun, shades, spread
from sweeper.figures.frame import Frame, scale_of_values
from sweeper.figures.scales import NumberScale, robust
from sweeper.figures.svg import Figure, cross, dot, hover, label, line, path
from sweeper.run import Curve, Goal

WIDTH, HEIGHT = 560, 320
MOST_RUNS = 300
MOST_RUNGS = 8


def learning_curves(
    runs: Sequence[DrawnRun], curves: Mapping[str, Curve], rungs: Sequence[int], metric: str, goal: Goal
) -> Figure | None:
    """Draw a line per run, coloured by its best value; one that was stopped ends in a cross.

    Args:
        runs: The runs.
        curves: Some points of each, by id.
        rungs: The iterations at which early termination judges.
        metric: Its name.
        goal: In which direction.
    """
    shown, note = spread([run for run in runs if curves.get(run.id)], goal, MOST_RUNS)
    if not shown:
        return None
    values = [value for run in shown for _, value in curves[run.id]]
    last = max(iteration for run in shown for iteration, _ in curves[run.id])
    frame = Frame(width=WIDTH, height=HEIGHT, x=NumberScale(1, max(2, last), whole=True), y=robust(values))
    steps, usual = shades(shown, goal), "run faint" if len(shown) > MANY else "run"
    parts = [frame.ground(metric, "iteration: value of the metric, in logged order")]
    parts += [_rung(frame, rung) for rung in sorted(rungs)[:MOST_RUNGS] if rung <= last]
    tops = {run.id for run in shown[:TOP] if run.leads}
    for run in reversed(shown):  # the best are drawn last, above the others
        colour = f"v{steps[run.id]}" if run.id in steps else "lost"
        parts.append(_curve(run, curves[run.id], frame, f"{'top' if run.id in tops else usual} {colour}"))
    parts.append(scale_of_values(WIDTH - 44, 18, "worst", "best"))
    stopped = sum(run.fate == "stopped" for run in shown)
    said = f"{metric} of {len(shown)} runs over their iterations; {stopped} of them were stopped early."
    return Figure(
        name="learning-curves",
        title=f"{metric} of each run",
        description=said,
        width=WIDTH,
        height=HEIGHT,
        body="".join(parts),
        note=note,
    )


def _rung(frame: Frame, rung: int) -> str:
    share = frame.x.place(rung) or 0.0
    x, top = frame.across(share), frame.up(1)
    side = (x - 3, "end") if share > 0.9 else (x + 3, "")
    return line(x, frame.up(0), x, top, "rung") + label(side[0], top + 10, f"rung {rung}", "small", anchor=side[1])


def _curve(run: DrawnRun, curve: Curve, frame: Frame, kind: str) -> str:
    places = [place for iteration, value in curve if (place := frame.point(iteration, value))]
    if not places:
        return ""
    colour = kind.rpartition(" ")[2]
    if run.fate in {"stopped", "failed"}:
        end = cross(*places[-1], f"{'failed-line' if colour == 'lost' else colour} cross", run.told)
    else:
        end = dot(*places[0], f"d{colour[1:]}", run.told, 2.5) if len(places) == 1 and colour != "lost" else ""
    return (path(places, kind, hover(run.told)) if len(places) > 1 else "") + end
