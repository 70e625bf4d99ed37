"""Failed runs by what went wrong, and what those of one kind have in common: forty may be one thing to mend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sweeper.plots.common_traits import Trait, common_traits
from sweeper.run import Params, Run, RunState

UNKNOWN = "no reason is known"
FEW = 2
"""Of fewer runs nothing is said of what they have in common."""
_CHANGING = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
"""What differs between two failures of one kind: sizes, addresses, values."""


@dataclass(frozen=True, slots=True)
class FailureCause:
    """Runs that failed alike.

    Attributes:
        cause: What went wrong with the latest of them, in one line.
        runs: Their ids, the latest first.
        traits: What they have in common that the runs which did not fail have not.
    """

    cause: str
    runs: tuple[str, ...]
    traits: tuple[Trait, ...]


def alike(reason: str) -> str:
    """Give what is the same for reasons of one kind."""
    return _CHANGING.sub("#", reason)


def failure_causes(runs: Iterable[Run]) -> list[FailureCause]:
    """Group the runs that failed or crashed by their causes, the most frequent first.

    Args:
        runs: The runs, oldest first; those that have not ended say nothing.
    """
    ended = [run for run in runs if run.state.ended]
    failed = [run for run in ended if run.state in {RunState.FAILED, RunState.CRASHED}]
    others = [run.params for run in ended if run.state not in {RunState.FAILED, RunState.CRASHED}]
    groups: dict[str, list[Run]] = {}
    for run in failed:
        groups.setdefault(alike(run.reason), []).insert(0, run)
    found = [_cause(group, others) for group in groups.values()]
    return sorted(found, key=lambda one: -len(one.runs))


def _cause(group: Sequence[Run], others: Sequence[Params]) -> FailureCause:
    traits = common_traits([run.params for run in group], others) if len(group) >= FEW else []
    first_line = group[0].reason.partition("\n")[0]
    return FailureCause(first_line or UNKNOWN, tuple(run.id for run in group), tuple(traits))
