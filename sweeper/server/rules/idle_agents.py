"""What an agent without a run waits for, when there is none for it now: its heartbeat is answered when it is there.

Our own workers wait so. A stock agent would keep its user waiting after Ctrl-C, for at its end it waits for the
heartbeat under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sweeper.run import SweepState
from sweeper.server.rules.joint_count import JointCount
from sweeper.server.store import agent_runs, counted_runs, runs, sweeps
from sweeper.server.store.database import Connection

REFRESH_S = 12.0
"""How long a heartbeat is held until it counts as another one: people take an agent for gone after 20 s."""
SETTLED_S = 1.0
"""How old the end of a run is that goes to a waiting agent. Both may be of one launch that is being stopped, and a
process that dies is heard for a moment longer: it would take the run along."""


@dataclass(frozen=True, slots=True)
class Idling:
    """A sweep as it was when it had nothing for an agent.

    Attributes:
        sweep_id: The sweep.
        state: Its state.
        runs: How many runs it had: with fewer, a configuration is free again.
        goes_home: Whether the agent is sent home as soon as all runs have begun.
        changed_at: When its state or its file had changed last: another file may have more to give.
        group: The group whose runs alone the agent takes up, and behind the last of which it is sent home; empty for
            any run of the sweep.
    """

    sweep_id: int
    state: SweepState
    runs: int
    goes_home: bool
    changed_at: float = 0.0
    group: str = ""


@dataclass(frozen=True, slots=True)
class GroupOutlook:
    """The runs of a group that has had as many as it takes.

    Attributes:
        unfinished: How many have not ended.
        ready: How many an agent of it that has waited may have now.
    """

    unfinished: int = 0
    ready: int = 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a sweep has for agents without a run.

    Attributes:
        state: Its state.
        runs: How many runs it has.
        unstarted: How many have not begun.
        waiting: How many wait for an agent, or will in a moment.
        ready: How many an agent that has waited may have now.
        changed_at: When its state or its file changed last.
        groups: What there is of the groups that were asked for.
    """

    state: SweepState
    runs: int
    unstarted: int
    waiting: int
    ready: int
    changed_at: float = 0.0
    groups: Mapping[str, GroupOutlook] = field(default_factory=dict)

    def ends(self, idle: Idling) -> bool:
        """Whether there is an answer for every agent that waits, be it that it goes home."""
        if self.state is not idle.state or self.state is SweepState.PAUSED:
            return self.state is not idle.state
        if self.changed_at != idle.changed_at:
            return True
        if idle.group and not self.groups[idle.group].unfinished:
            return True
        return self.runs < idle.runs or (idle.goes_home and not self.unstarted and not self.waiting)

    def places(self, group: str = "") -> int:
        """How many of the agents that wait, or of those of a group, have something to come for."""
        if self.state is SweepState.PAUSED:
            return 0
        return self.groups[group].ready if group else self.ready


def idle_at(db: Connection, sweep_id: int, joint: JointCount | None = None) -> Idling:
    """Describe a sweep that has nothing for an agent now."""
    sweep = sweeps.get(db, sweep_id)
    # a scheduler may always propose another run, and a machine that joined take up those of one that is lost
    goes_home = sweep.definition.scheduler is None and joint is None
    group = joint.group if joint and joint.is_reached(db, sweep_id) else ""
    return Idling(sweep_id, sweep.state, runs.count(db, sweep_id), goes_home, sweep.updated_at, group)


def outlook(db: Connection, sweep_id: int, *, now: float, groups: Iterable[str] = ()) -> Outlook:
    """See what a sweep has for agents that wait, and for those of some groups that have had their runs."""
    sweep = sweeps.get(db, sweep_id)
    return Outlook(
        state=sweep.state,
        runs=runs.count(db, sweep_id),
        unstarted=runs.count(db, sweep_id, ("pending",)),
        waiting=agent_runs.waiting(db, sweep_id, ended_before=now),
        ready=agent_runs.waiting(db, sweep_id, ended_before=now - SETTLED_S),
        changed_at=sweep.updated_at,
        groups={
            group: GroupOutlook(
                counted_runs.unfinished(db, sweep_id, group),
                counted_runs.ready(db, sweep_id, group, ended_before=now - SETTLED_S),
            )
            for group in groups
        },
    )
