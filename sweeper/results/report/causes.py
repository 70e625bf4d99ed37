"""Why runs failed, in groups: what failed for one reason is one row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sweeper.results.status import RunStatus
from sweeper.run import RunState

MOST_NAMED = 5
TAIL_LINES = 8
_DIFFERING = re.compile(r"0x[0-9a-fA-F]+|\d+(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedCause:
    """Runs that failed for one reason.

    Attributes:
        kind: What went wrong, in a word or two.
        reason: The same in a sentence, of the last of them; empty if nobody knows.
        count: How many runs.
        runs: Ids of some of them, the last first.
        log_tail: The last lines that the last of them printed.
    """

    kind: str
    reason: str
    count: int
    runs: tuple[str, ...]
    log_tail: tuple[str, ...] = ()


def causes(runs: Iterable[RunStatus]) -> tuple[ReportedCause, ...]:
    """Group the runs that failed; the commonest cause first. Numbers in a reason make no other cause."""
    groups: dict[tuple[str, str], list[RunStatus]] = {}
    for run in runs:
        if run.state in {RunState.FAILED, RunState.CRASHED}:
            key = run.kind or run.state.value, _DIFFERING.sub("#", run.reason)
            groups.setdefault(key, []).append(run)
    found = [
        ReportedCause(
            kind=kind,
            reason=failed[-1].reason,
            count=len(failed),
            runs=tuple(run.id for run in failed[: -MOST_NAMED - 1 : -1]),
            log_tail=failed[-1].log_tail[-TAIL_LINES:],
        )
        for (kind, _), failed in groups.items()
    ]
    return tuple(sorted(found, key=lambda cause: -cause.count))
