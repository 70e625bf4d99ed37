"""Which of a sweep's runs a person is shown, and in which order: those at work, the best, then what ended last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sweeper.results.climb import by_value
from sweeper.results.living import natural
from sweeper.results.status import RunStatus, SweepStatus

ROWS = 20
"""Runs that are shown where nothing says how many lines there are."""
AT_WORK, BEST, ENDED = 40, 5, 10
"""More rows are taken for runs at work, up to so many, with so many below them; of the best there are five at most."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def rows_wanted(status: SweepStatus) -> int:
    """Say how many runs to show where nothing says how many lines there are."""
    going = sum(not run.state.ended for run in status.runs)
    return max(ROWS, min(going, AT_WORK) + ENDED)


def foremost(status: SweepStatus, rows: int) -> tuple[RunStatus, ...]:
    """Pick the runs to show: the ones that go on, slot by slot, then the best, then of the others what ended last.

    With several metrics the front stands for the best.

    Args:
        status: The sweep.
        rows: How many.
    """
    going = sorted([run for run in status.runs[::-1] if not run.state.ended], key=_place)
    shown = {run.id: run for run in going[:rows]}
    _fill(shown, _best(status), min(rows, len(shown) + min(BEST, -(-(rows - len(shown)) // 2))))
    _fill(shown, _ended(status), rows)
    return tuple(shown.values())


def _place(run: RunStatus) -> tuple[bool, bool, tuple[tuple[int, str], ...]]:
    """Sort what trains before what waits, and by slots: a run keeps its row as long as it goes on."""
    return (not run.at_work, not run.slot, natural(run.slot))


def _fill(shown: dict[str, RunStatus], runs: Iterable[RunStatus], most: int) -> None:
    for run in runs:
        if len(shown) >= most:
            return
        shown[run.id] = run


def _best(status: SweepStatus) -> Sequence[RunStatus]:
    return status.standing.front or by_value(status.runs, status.facts.goal)


def _ended(status: SweepStatus) -> list[RunStatus]:
    """Sort what has ended, the latest first; of equals that begun last."""
    return sorted(
        [run for run in status.runs[::-1] if run.state.ended],
        key=lambda run: run.ended_at or _LONG_AGO,
        reverse=True,
    )
