"""The best value so far, over the runs in their order: how a search went."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sweeper.figures.drawn_run import MANY, DrawnRun
from sweeper.figures.frame import Frame
from sweeper.figures.scales import NumberScale, robust
from sweeper.figures.svg import Figure, cross, dot, dots, path
from sweeper.readable import number
from sweeper.run import Goal, sign

WIDTH, HEIGHT = 560, 320
MOST_RUNS = 2000
"""More dots than this are one grey cloud, and take the server long to write."""


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
    shown = valued[:: -(-len(valued) // MOST_RUNS)]
    y = robust([run.value for run in shown], keep=[run.value for run in records[-1:]])
    frame = Frame(width=WIDTH, height=HEIGHT, x=NumberScale(1, max(2, runs[-1].number), whole=True), y=y)
    few = sum(run.fate == "failed" for run in shown) <= MANY
    placed = [(run, place) for run in shown if (place := frame.point(run.number, run.value))]
    parts = [
        frame.ground(f"{metric}, best so far", "runs, in their order"),
        dots([place for run, place in placed if run.fate in {"finished", "running"}], "finished-line"),
        dots([place for run, place in placed if run.fate == "stopped"], "stopped-line"),
        *(cross(*place, "failed-line cross", run.told if few else "") for run, place in placed if run.fate == "failed"),
        _line(records, frame, runs[-1].number),
        *(dot(*place, "hole", run.told) for run in records[-MANY:] if (place := frame.point(run.number, run.value))),
    ]
    beyond = len(shown) - len(placed)
    notes = [f"{len(shown)} of {len(valued)} runs as dots, evenly chosen."] if len(shown) < len(valued) else []
    notes += [f"{beyond} values lie beyond the picture."] if beyond else []
    best = f"The best is {number(records[-1].value)}, by run {records[-1].id}." if records else "None may lead."
    return Figure(
        name="best-so-far",
        title=f"{metric}, best so far",
        description=f"Values of {len(valued)} runs in their order, and the best so far. {best}",
        width=WIDTH,
        height=HEIGHT,
        body="".join(parts),
        note=" ".join(notes),
    )


def records_of(runs: Sequence[DrawnRun], goal: Goal) -> list[DrawnRun]:
    """List the runs that were better than all before them."""
    records: list[DrawnRun] = []
    factor, least = sign(goal), math.inf
    for run in runs:
        if run.may_lead and run.value is not None and (loss := factor * run.value) < least:  # NaN is not
            records.append(run)
            least = loss
    return records


def _line(records: Sequence[DrawnRun], frame: Frame, last: int) -> str:
    """Draw the steps from record to record, up to the last run."""
    corners: list[tuple[float, float]] = []
    for run, following in zip(records, [*records[1:], None], strict=False):
        end = following.number if following else last
        corners += [place for number in (run.number, end) if (place := frame.point(number, run.value))]
    return path(corners, "best") if corners else ""
