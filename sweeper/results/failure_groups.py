"""The runs that failed, grouped by why: forty failures of one kind are one thing to mend."""

from __future__ import annotations

from collections.abc import Iterable

from sweeper.plots.failure_causes import UNKNOWN, alike
from sweeper.results.status import FailureGroup, RunStatus
from sweeper.run import RunState


def failure_groups(runs: Iterable[RunStatus]) -> tuple[FailureGroup, ...]:
    """Group the runs that failed or crashed by their causes, the most frequent first.

    Args:
        runs: The runs, oldest first.
    """
    groups: dict[tuple[str, str], list[RunStatus]] = {}
    for run in runs:
        if run.state is RunState.FAILED or run.state is RunState.CRASHED:
            groups.setdefault((run.kind, alike(run.reason)), []).insert(0, run)
    return tuple(sorted(map(_group, groups.values()), key=lambda group: -group.count))


def _group(runs: list[RunStatus]) -> FailureGroup:
    latest, logged = runs[0], next((run for run in runs if run.log), None)
    return FailureGroup(
        cause=latest.reason.partition("\n")[0] or latest.kind or UNKNOWN,
        kind=latest.kind,
        count=len(runs),
        runs=tuple(run.id for run in runs),
        log=logged.log if logged else "",
        log_run=logged.id if logged else "",
    )
