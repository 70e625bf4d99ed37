"""The best value so far, over the runs in their order: how a search went."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.figures.drawn_run import DrawnRun
from sweeper.figures.frame import Frame
from sweeper.figures.scales import NumberScale, robust
from sweeper.figures.svg import Figure, cross, dot, dots, path
from sweeper.readable import number
from sweeper.run import Goal, sign

WIDTH, HEIGHT = 560, 320


def best_so_far(runs: Sequence[DrawnRun], metric: str, goal: Goal) -> Figure | None:
    """Draw each run's best value, and the line of the best so far; None where no run has a value.

    Args:
        runs: The runs, in the order of their numbers.
        metric: Its name.
        goal: In which direction.
    """
    valued = [run for run in runs if run.value is not None]
    records = records_of(valued, goal)
    if not valued:
        return None
    y = robust([run.value for run in valued])
    frame = Frame(width=WIDTH, height=HEIGHT, x=NumberScale(1, max(2, runs[-1].number), whole=True), y=y)
    placed = [(run, place) for run in valued if (place := frame.point(run.number, run.value))]
    parts = [
        frame.ground(f"{metric}, best so far", "run"),
        dots([place for run, place in placed if run.fate in {"finished", "running"}], "finished-line"),
        dots([place for run, place in placed if run.fate == "stopped"], "stopped-line"),
        *(cross(*place, "failed-line cross", run.told) for run, place in placed if run.fate == "failed"),
        _line(records, frame, runs[-1].number),
        *(dot(*place, "hole", run.told) for run in records if (place := frame.point(run.number, run.value))),
    ]
    beyond = len(valued) - len(placed)
    best = f"The best is {number(records[-1].value)}, by run {records[-1].number}." if records else "None may lead."
    return Figure(
        name="best-so-far",
        title=f"{metric}, best so far",
        description=f"Values of {len(valued)} runs in their order, and the best so far. {best}",
        width=WIDTH,
        height=HEIGHT,
        body="".join(parts),
        note=f"{beyond} values lie beyond the picture." if beyond else "",
    )


def records_of(runs: Sequence[DrawnRun], goal: Goal) -> list[DrawnRun]:
    """List the runs that were better than all before them."""
    records: list[DrawnRun] = []
    for run in runs:
        if run.leads and (not records or sign(goal) * (run.value or 0.0) < sign(goal) * (records[-1].value or 0.0)):
            records.append(run)
    return records


def _line(records: Sequence[DrawnRun], frame: Frame, last: int) -> str:
    """Draw the steps from record to record, up to the last run."""
    corners: list[tuple[float, float]] = []
    for run, following in zip(records, [*records[1:], None], strict=False):
        end = following.number if following else last
        corners += [place for number in (run.number, end) if (place := frame.point(number, run.value))]
    return path(corners, "best") if corners else ""
