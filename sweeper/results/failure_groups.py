"""The runs that failed, grouped by why: forty failures of one kind are one thing to mend."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sweeper.results.status import FailureGroup, RunStatus
from sweeper.run import RunState

UNKNOWN = "no reason is known"
_CHANGING = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
"""What differs between two failures of one kind: sizes, addresses, values."""


def failure_groups(runs: Iterable[RunStatus]) -> tuple[FailureGroup, ...]:
    """Group the runs that failed or crashed by their causes, the most frequent first.

    Args:
        runs: The runs, oldest first.
    """
    alike: dict[tuple[str, str], list[RunStatus]] = {}
    for run in runs:
        if run.state is RunState.FAILED or run.state is RunState.CRASHED:
            alike.setdefault((run.kind, _CHANGING.sub("#", run.reason)), []).insert(0, run)
    return tuple(sorted(map(_group, alike.values()), key=lambda group: -group.count))


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
