"""A launch's progress where nobody looks at a screen: plain lines, for pipes and log files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from sweeper.cli.output import err, warn
from sweeper.cli.tables import duration, measured, parameters
from sweeper.run import RunState

if TYPE_CHECKING:
    from sweeper.results.status import RunStatus, SweepStatus


def final_count(before: SweepStatus, count: int | None) -> int | None:
    """Count the runs there will be when a launch is done; None if it goes on until the sweep is stopped.

    Args:
        before: The sweep as the launch found it.
        count: How many runs the launch was asked for; None for as many as the sweep has.
    """
    limits = [before.progress.total, count and before.progress.done + count]
    return min((limit for limit in limits if limit is not None), default=None)


class ProgressLog:
    """Progress as plain lines, one for each run that starts or ends: for pipes and log files.

    Args:
        before: The sweep as the launch found it; nothing that is in it is news.
        count: How many runs the launch was asked for.
    """

    def __init__(self, before: SweepStatus, count: int | None) -> None:
        self._told = {run.id: run.state for run in before.runs}
        self._final = final_count(before, count)
        self._warned: set[str] = set()

    def tell(self, status: SweepStatus | None) -> None:
        """Print what is new."""
        if status is None:
            return
        for run in status.runs:
            if self._told.get(run.id) is not run.state and run.state is not RunState.PENDING:
                self._told[run.id] = run.state
                done = sum(state.ended for state in self._told.values())
                err.print(escape(self._line(run, status, done)), soft_wrap=True)
        for missing in status.missing_metrics:
            if missing.metric not in self._warned:
                self._warned.add(missing.metric)
                warn(missing.message)

    def _line(self, run: RunStatus, status: SweepStatus, done: int) -> str:
        if not run.state.ended:
            return f"{run.id} {run.state.value}: {parameters(run.params)}"
        what = status.facts.metric_names
        value = f" {what} {measured(run)}" if run.values or run.best is not None else ""
        why = f" ({run.reason})" if run.reason else ""
        progress = f"{done}/{self._final or '?'} done"
        return f"{run.id} {run.state.value}{value} in {duration(run.duration_s)}, {progress}{why}"
