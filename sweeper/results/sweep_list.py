"""The list of sweeps: each as a person or a script reads it, with whether anybody works on it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sweeper.backend.sweep_lists import SweepList, SweepSummary
from sweeper.journal.directories import SweepDir
from sweeper.results.outlook import AGENT_HEARD
from sweeper.run import RunState, SweepState
from sweeper.settings import Settings

_AT_WORK = (RunState.RUNNING.value, RunState.PREEMPTING.value)


@dataclass(frozen=True, slots=True)
class SweepLine:
    """A line of the list.

    Attributes:
        sweep: The sweep.
        idle: Whether it goes on and nobody works on it; None where the server does not tell who does.
    """

    sweep: SweepSummary
    idle: bool | None

    @property
    def state(self) -> str:
        """Its state in a word: `idle` for one that goes on with nobody at work."""
        return "idle" if self.idle else self.sweep.state.value.lower()

    def to_json(self) -> dict[str, Any]:
        """Give the object that stands for it in `sweeper list --json`."""
        told = self.sweep
        return {
            "sweep": told.ref.path,
            "id": told.ref.sweep_id,
            "project": told.ref.project,
            "entity": told.ref.entity,
            "name": told.name,
            "state": told.state.value.lower(),
            "idle": self.idle,
            "method": told.method,
            "metrics": dict(told.metrics),
            "done": told.done,
            "made": told.made,
            "total": told.total,
            "counts": dict(told.counts),
            "best": told.best,
            "best_run": told.best_run,
            "created_at": told.created_at.isoformat(),
            "active_at": told.active_at.isoformat(),
        }


def lines(found: SweepList, settings: Settings, *, now: datetime) -> Iterator[SweepLine]:
    """Tell of each sweep whether anybody works on it.

    Args:
        found: The sweeps.
        settings: The user's environment: where this machine's launches are noted.
        now: The time (aware).
    """
    for sweep in found.sweeps:
        yield SweepLine(sweep, _is_idle(sweep, settings, now))


def _is_idle(sweep: SweepSummary, settings: Settings, now: datetime) -> bool | None:
    if sweep.state not in {SweepState.PENDING, SweepState.RUNNING}:
        return False
    if any(sweep.counts.get(state) for state in _AT_WORK):
        return False
    directory = SweepDir.of(settings.home, sweep.ref)
    if directory.launchers():
        return False
    if sweep.agents is None:
        return None
    last = max((launch.worked_until() for launch in directory.launches()), default=0.0)
    worked_until = datetime.fromtimestamp(last, UTC)
    # an agent of a launch of this machine that has ended is still fresh in the server's memory: we know better
    heard = [one for one in sweep.agents if one.host != socket.gethostname() or one.heard_at > worked_until]
    return not any(now - one.heard_at < AGENT_HEARD for one in heard)
