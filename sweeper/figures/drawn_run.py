"""A run as figures draw it, and which of many are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from sweeper.figures.scales import as_number
from sweeper.figures.style import SHADES
from sweeper.readable import number
from sweeper.run import Goal, Run, RunState, sign

Fate = Literal["finished", "running", "stopped", "failed", "waiting"]
"""What has become of a run, as it is drawn: stopped is by early termination or a person, failed also crashed."""

TOP = 10
"""So many runs are drawn above the rest."""
MANY = 200
"""Lines of more runs than this are drawn fainter."""

_FATES: Mapping[RunState, Fate] = {
    RunState.PENDING: "waiting",
    RunState.PREEMPTED: "waiting",
    RunState.RUNNING: "running",
    RunState.PREEMPTING: "running",
    RunState.FINISHED: "finished",
    RunState.KILLED: "stopped",
}


def fate_of(state: RunState) -> Fate:
    """Say what has become of a run in a state."""
    return _FATES.get(state, "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnRun:
    """A run.

    Attributes:
        id: Its id.
        number: The how-manieth of the sweep it is, from 1: its place on an axis of runs.
        label: What it is called: the parameters in which it differs.
        fate: What has become of it.
        params: Its parameters, flat.
        value: Its best value of the metric; None without one.
        values: Its last value of each of several metrics.
        may_lead: Whether it may be among the best (`sweeper.run.may_lead`).
    """

    id: str
    number: int
    label: str
    fate: Fate
    params: Mapping[str, Any] = field(default_factory=dict)
    value: float | None = None
    values: tuple[float, ...] = ()
    may_lead: bool = True

    @classmethod
    def of(cls, run: Run, number: int, label: str, value: float | None) -> Self:
        """Draw a run as the number it has, with its name and the value it is judged by."""
        return cls(
            id=run.id,
            number=number,
            label=label,
            fate=fate_of(run.state),
            params=run.params,
            value=value,
            values=run.values,
            may_lead=run.may_lead,
        )

    @property
    def leads(self) -> bool:
        """Whether it has a value that may be among the best."""
        return self.may_lead and as_number(self.value) is not None

    @property
    def told(self) -> str:
        """Say what it is, where a pointer rests on it."""
        parts = [self.id, number(self.value) if self.value is not None else "no value", self.fate]
        return f"{' · '.join(parts)}: {self.label}"[:240]


def ranked(runs: Sequence[DrawnRun], goal: Goal) -> list[DrawnRun]:
    """Sort runs, the best first; those that cannot lead last."""
    return sorted(runs, key=lambda run: (not run.leads, sign(goal) * (as_number(run.value) or 0.0), run.number))


def foremost(runs: Sequence[DrawnRun], goal: Goal, most: int) -> tuple[list[DrawnRun], str]:
    """Choose the best so many of some runs, the best first, and say so where that leaves out others."""
    order = ranked(runs, goal)
    return order[:most], f"The best {most} of {len(runs)} runs." if len(runs) > most else ""


def spread(runs: Sequence[DrawnRun], goal: Goal, most: int) -> tuple[list[DrawnRun], str]:
    """Choose the best ten and others from all ranks alike, the best first, and say so where that leaves out some."""
    order = ranked(runs, goal)
    if len(order) <= most:
        return order, ""
    rest, room = order[TOP:], most - TOP
    chosen = [rest[place * len(rest) // room] for place in range(room)]
    return order[:TOP] + chosen, f"{most} of {len(runs)} runs: the best {TOP}, and others from all ranks."


def shades(runs: Sequence[DrawnRun], goal: Goal) -> dict[str, int]:
    """Give each run that may lead its step on the scale of values, by its rank: one that is far off moves no other."""
    order = [run for run in ranked(runs, goal) if run.leads]
    last = max(1, len(order) - 1)
    return {run.id: min(SHADES - 1, int(SHADES * (1 - rank / last))) for rank, run in enumerate(order)}
