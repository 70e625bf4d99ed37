"""A launch's progress where nobody looks at a screen: plain lines, for pipes and log files."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from sweeper.cli.output import err, escape, warn
from sweeper.cli.run_rows import measured, with_gap
from sweeper.readable import duration, parameters
from sweeper.run import RunState, SweepState

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


def waiting(trouble: str) -> str:
    """Say what a launch does whose server does not answer."""
    again = "; where it is sweeper's own, `sweeper status` starts it again" if "nobody answers" in trouble else ""
    return f"{trouble}: runs wait for it{again}"


def _news(before: SweepState, status: SweepStatus) -> str:
    """Say what somebody has done to the sweep; what it does by itself is no news."""
    facts = status.facts
    if facts.state is SweepState.PAUSED:
        return f"the sweep was paused: no run starts until `sweeper resume {quote(facts.sweep)}`"
    if before is SweepState.PAUSED and not facts.state.ended:
        return "the sweep goes on"
    return cut_off(status)


def cut_off(status: SweepStatus) -> str:
    """Say that a person ended the sweep, if one did: it has not made all its runs."""
    facts, made = status.facts, status.progress
    if facts.state is SweepState.CANCELED:
        return f"the sweep was canceled: {made.done} of {made.total or '?'} runs are done"
    if facts.state is SweepState.FINISHED and not status.reached_target and made.total != len(status.runs):
        return f"the sweep was stopped: {made.done} of {made.total or '?'} runs are done"
    return ""


class ProgressLog:
    """Progress as plain lines, one for each run that starts or ends: for pipes and log files.

    Args:
        before: The sweep as the launch found it; nothing that is in it is news.
        count: How many runs the launch was asked for.
    """

    def __init__(self, before: SweepStatus, count: int | None) -> None:
        self._told = {run.id: run.state for run in before.runs}
        self._final = final_count(before, count)
        self._state = before.facts.state
        self._away = False
        self._warned: set[str] = set()

    def tell(self, status: SweepStatus | None, trouble: str = "") -> None:
        """Print what is new.

        Args:
            status: The sweep as it is; None as long as nobody knows.
            trouble: Why the server did not answer when it was asked last; empty if it did.
        """
        if bool(trouble) is not self._away:
            self._away = bool(trouble)
            err.print(escape(waiting(trouble) if trouble else "the server answers again"), soft_wrap=True)
        if status is None:
            return
        if status.facts.state is not self._state:
            if words := _news(self._state, status):
                err.print(escape(words), soft_wrap=True)
            self._state = status.facts.state
        for run in status.runs:
            news = self._told.get(run.id) is not run.state and run.state is not RunState.PENDING
            if news and run.id not in status.closing:  # in a moment its worker knows more than an exit code
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
        return f"{run.id} {with_gap(run)}{value} in {duration(run.duration_s)}, {progress}{why}"
