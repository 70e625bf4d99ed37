"""Which of a sweep's runs a person is shown where there are too many to be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from sweeper.results.status import RunStatus, SweepStatus
from sweeper.run import may_lead, sign

MOST = 50
"""Of so many runs each has its row."""
AT_WORK, BEST, LATEST = 10, 5, 5
"""Of more than that: rows of those that go on, of the best and of the latest that have ended."""


def foremost(status: SweepStatus) -> tuple[RunStatus, ...]:
    """Pick the runs to show: all of few; of many the ones at work, then the best, then of the rest those begun last.

    With several metrics the front stands for the best.
    """
    if len(status.runs) <= MOST:
        return status.runs
    latest = [run for run in reversed(status.runs) if run.state.ended]
    going = [run for run in reversed(status.runs) if not run.state.ended]
    shown = {run.id: run for run in islice(going, AT_WORK)}
    for found, limit in ((_best(status), BEST), (latest, LATEST)):
        for run in islice(_without(found, shown), limit):
            shown[run.id] = run
    return tuple(shown.values())


def _without(runs: Iterable[RunStatus], shown: dict[str, RunStatus]) -> list[RunStatus]:
    return [run for run in runs if run.id not in shown]


def _best(status: SweepStatus) -> Sequence[RunStatus]:
    if status.standing.front:
        return status.standing.front
    goal = status.facts.goal
    leading = [run for run in status.runs if may_lead(run.state, stopped_early=run.stop is not None)]
    # the earliest of equals first, as everywhere
    return sorted((run for run in leading if run.best is not None), key=lambda run: sign(goal) * (run.best or 0.0))
