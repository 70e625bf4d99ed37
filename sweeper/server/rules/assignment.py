"""What an agent does next: a ladder inside one transaction.

`next_command` goes down it in this order:

1. the sweep has ended: stop what must stop, let the rest finish, then exit
2. a listed run is to stop, or another agent's since this one fell silent: stop it
3. the agent is busy, or the sweep paused: wait (one whose run has just ended is not: `early_handout.py`)
4. a run was assigned to this agent and never started: send it again (the answer was lost; if it surely was not, the
   trainer has ended before `wandb.init`, and the run has failed)
5. a run waits for an agent (requeued): assign it
6. the agent's group has had its runs, as `joint_count.py` counts them: exit
7. the sweep is over, or has nothing left: exit
8. the sweep has a scheduler of its own, outside of this server: wait until that proposes a run
9. take the suggestion that was computed ahead for the sweep's next run; none is ready: search

All of it is decided and stored together, so a lost answer costs one beat, never a run that two agents have or none.

Functions of a write connection.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Literal

from sweeper.run import RunState, SweepState
from sweeper.server.rules import (
    early_handout,
    joint_count,
    run_endings,
    run_transitions,
    stop_requests,
    suggestions,
    sweep_transitions,
)
from sweeper.server.rules.idle_agents import Idling
from sweeper.server.rules.joint_count import JointCount
from sweeper.server.store import counted_runs, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.suggestions import NumberedSuggestion
from sweeper.server.store.sweeps import Agent, Sweep

MAX_SENDS = 3
"""Times a run that never starts is handed out; then its trainer is taken to end before `wandb.init`."""

SLEEP_S, LATE_S = 4.5, 15.0
"""After an answer the SDK's agents (0.29 to 0.31) sleep 5 s. One that got none asks again within 3 s, or when it has
given up waiting, after 20 s at the soonest."""


@dataclass(frozen=True, slots=True)
class Command:
    """What an agent shall do next; `search` is for the dispatcher and never leaves it.

    Attributes:
        kind: As the SDK (0.31) knows it; `wait` is an answer without a command.
        run: The run it is about.
        watch: Row ids of runs whose end may change the answer.
        idle: What an agent without a run waits for, where its heartbeat may be held.
    """

    kind: Literal["run", "resume", "stop", "exit", "wait", "search"]
    run: StoredRun | None = None
    watch: tuple[int, ...] = ()
    idle: Idling | None = None


WAIT = Command("wait")
EXIT = Command("exit")
SEARCH = Command("search")


def take_listed(
    db: Connection, agent: Agent, listed: Set[str], *, now: float, hearing_since: float = math.inf
) -> tuple[list[StoredRun], bool]:
    """Believe what an agent says about its runs: listed ones live, the others have vanished.

    Args:
        db: The write connection.
        agent: The agent.
        listed: The ids of the runs it says are queued or running with it.
        now: The time.
        hearing_since: Since when this server has answered; whether an answer from before arrived cannot be told.

    Returns:
        What the agent was given and may still be at, and whether anything was news but that it is alive.
    """
    known = runs.at_hand(db, agent.id)
    news = False
    for run in known:
        if run.name in listed:
            news = run_transitions.listed(db, run, now=now) or news
        elif run.agent_id != agent.id:
            continue
        elif listed and run.state is RunState.PENDING and not run.accepted:
            runs.put(db, run.id, sends=0)  # it is at another run and has not come to this one: its answer went astray
        elif run.live or (run.state is RunState.PENDING and (run.accepted or _was_got(run, hearing_since, now=now))):
            run_endings.vanished(db, run, now=now)
            news = True
    return (runs.of_agent(db, agent.id), True) if news else ([run for run in known if run.agent_id == agent.id], False)


def _was_got(run: StoredRun, hearing_since: float, *, now: float) -> bool:
    """Whether the answer that brought an agent a run arrived: by the time at which the agent asks again."""
    sent_at = run.heartbeat_at
    # Where one answer was lost the next one may be, and the SDK's third try comes as late as an agent that has slept.
    return run.sends == 1 and sent_at >= hearing_since and SLEEP_S <= now - sent_at <= LATE_S


def next_command(
    db: Connection,
    agent: Agent,
    sweep: Sweep,
    listed: Set[str],
    *,
    now: float,
    own: Sequence[StoredRun] | None = None,
    joint: JointCount | None = None,
) -> Command:
    """Go down the ladder for an agent that says which runs are queued or running with it.

    Args:
        db: The write connection.
        agent: The agent.
        sweep: Its sweep.
        listed: The ids of the runs it says are queued or running with it.
        now: The time.
        own: What it was given and may still be at, if that has been read.
        joint: The group for which its runs count; None where nobody counts them.
    """
    own = runs.of_agent(db, agent.id) if own is None else own
    if to_stop := _to_stop(db, agent, sweep, own, listed, now=now):
        return Command("stop", to_stop)
    if listed and not early_handout.all_done(db, agent, listed):
        return Command("wait", watch=early_handout.watchable(db, agent, listed))
    if sweep.state is SweepState.PAUSED:
        return WAIT
    if sweep.state.ended:
        return EXIT
    for run in own:
        if run.state is RunState.PENDING and run.sends >= MAX_SENDS:
            run_endings.never_started(db, run, now=now)
        elif run.state is RunState.PENDING:
            return _send(db, run, agent, joint, now=now)
    return _for_free_agent(db, agent, sweep, joint, now=now)


def _to_stop(
    db: Connection, agent: Agent, sweep: Sweep, own: Sequence[StoredRun], listed: Set[str], *, now: float
) -> StoredRun | None:
    """Find a listed run that is to stop, or that has gone to another agent."""
    for run in own:
        waits = run.name in listed and (not run.state.ended or run.started_at is None)
        if waits and stop_requests.is_due(run, sweep.definition, eager=bool(agent.eager), now=now):
            return run
    for name in listed - {run.name for run in own}:
        found = runs.find(db, sweep.project_id, name)
        if found and found.sweep_id == sweep.id and found.agent_id not in {None, agent.id}:
            return found
    return None


def _for_free_agent(db: Connection, agent: Agent, sweep: Sweep, joint: JointCount | None, *, now: float) -> Command:
    """Find a free agent of a running sweep a run: one that waits, or one to search for."""
    if sweep.definition.scheduler and sweep_transitions.reached_target(db, sweep):
        sweep_transitions.drop_waiting(db, sweep, now=now)
    if waiting := joint_count.waiting(db, sweep.id, joint):
        return _send(db, waiting, agent, joint, now=now)
    if joint and joint.is_reached(db, sweep.id):
        return WAIT if joint.goes_on(db, sweep.id) else EXIT
    if sweep.exhausted or sweep_transitions.is_over(db, sweep):
        return _send_home(db, sweep, joint, now=now)
    if sweep.definition.scheduler:
        return WAIT
    found = suggestions.take(db, sweep.id)
    # A random draw costs less than a look at the search process, and is what a random search would give.
    if found is None and sweep.definition.method == "random":
        found = suggestions.draw(db, sweep)
    return SEARCH if found is None else give(db, sweep, agent, found, now=now, joint=joint)


def _send_home(db: Connection, sweep: Sweep, joint: JointCount | None, *, now: float) -> Command:
    """Send a free agent home when the search has nothing more to propose."""
    # An offer that nobody takes up leaves its configuration to the next agent: this may not be the end.
    if not runs.offers(db, sweep.id):
        sweeps.set_exhausted(db, sweep.id)
    sweep_transitions.finish_if_done(db, sweep.id, now=now)
    if joint:  # of several machines one may be lost, and leaves its runs to the others
        return WAIT if joint.goes_on(db, sweep.id) else EXIT
    # Somebody else's unstarted run may yet come back to the queue, and would find nobody here.
    return WAIT if runs.count(db, sweep.id, ("pending",)) else EXIT


def give(
    db: Connection,
    sweep: Sweep,
    agent: Agent,
    found: NumberedSuggestion,
    *,
    now: float,
    fallback: str = "",
    joint: JointCount | None = None,
) -> Command:
    """Make a run of a suggestion, and say what suggested it.

    Args:
        db: The write connection.
        sweep: The sweep.
        agent: Who gets the run.
        found: The suggestion for the sweep's next run; one without parameters sends the agent home.
        now: The time.
        fallback: Why it is a random draw where a search was asked for; empty if it is none.
        joint: The group for which the run counts; None where nobody counts it.
    """
    if found.params is None:
        return _send_home(db, sweep, joint, now=now)
    origin = {"engine": found.engine, "seed": found.seed, "runs": found.based_on}
    if fallback:
        origin["fallback"] = fallback
    run = runs.propose(db, sweep, json.loads(found.params), now=now, origin=origin, offered=True)
    return _send(db, run, agent, joint, now=now)


def _send(db: Connection, run: StoredRun, agent: Agent, joint: JointCount | None, *, now: float) -> Command:
    if joint:
        counted_runs.note(db, run, joint.group)
    kind: Literal["run", "resume"] = "run" if run.started_at is None else "resume"
    return Command(kind, run_transitions.sent(db, run, agent.id, now=now))
