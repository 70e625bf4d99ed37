"""Telling a run to stop: why, and in which order it and its agent hear of it.

A run hears of it in the answers to its own file_stream: the SDK (0.31.0) looks every 15 s, then interrupts the
trainer, which ends with all it logged. An agent hears of it in a heartbeat: one with a function raises in the
trainer, `wandb agent` sends SIGTERM, at which wandb-core ends without sending the last rows. So where a script may
be at work the heartbeat comes second; the answers mean nothing to a run inside of a function agent.
"""

from __future__ import annotations

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import RunState, StopDecision
from sweeper.server.rules import writers
from sweeper.server.store import runs
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun

REPORT_S = 15.0
"""Seconds until a busy run reports again, at the SDK's default."""
GRACE_S = 20.0
"""Seconds a run that has heard of its stop may take: 15 until the SDK looks, and some for its last words."""


def request(db: Connection, run_id: int, reason: str, decision: StopDecision | None = None, *, now: float) -> None:
    """Mark a run to be stopped, by early termination if its decision is given; the first reason given stays."""
    run = runs.get(db, run_id)
    if not run.state.ended and not run.stop_requested:
        # REPORT_S for a busy run to report and be told, GRACE_S to end by itself: then its agent ends it.
        stop = runs.stop_text(decision) if decision else ""
        runs.update(db, run_id, stop_requested=1, reason=reason, stop=stop, stop_due=now + REPORT_S + GRACE_S)


def ask(db: Connection, run: StoredRun, reason: str, *, now: float) -> None:
    """Stop a run because a person asks for it; one that nobody has taken up ends at once, an ended one stays."""
    if waits(run):
        end_waiting(db, run, reason, now=now)
    else:
        request(db, run.id, reason, now=now)


def waits(run: StoredRun) -> bool:
    """Whether no agent has taken up a run; one whose command is on its way counts as waiting."""
    return run.state in {RunState.PENDING, RunState.PREEMPTED} and not run.accepted


def end_waiting(db: Connection, run: StoredRun, reason: str, *, now: float) -> None:
    """End a run that waits; should its command be on its way, it is stopped when it starts."""
    runs.update(db, run.id, state=RunState.KILLED, reason=reason, ended_at=now, stop_requested=1, stop_due=now)


def was_on_its_way(run: StoredRun) -> bool:
    """Whether a run was ended by `end_waiting` while its command was on the way: its process, if any comes, ends."""
    return bool(run.stop_requested) and run.agent_id is not None and run.ended_at == run.stop_due


def tell(db: Connection, run: StoredRun, *, now: float) -> None:
    """Note that a run has been told in an answer to its file_stream."""
    runs.update(db, run.id, stop_due=now + GRACE_S)


def is_news(run: StoredRun, *, now: float) -> bool:
    """Whether a run that is to stop has not been told yet."""
    return bool(run.stop_requested) and run.stop_due > now + GRACE_S


def is_due(run: StoredRun, definition: SweepDefinition, *, eager: bool, now: float) -> bool:
    """Whether an agent is to end its run: at once, unless the run may be a script that is about to end by itself.

    Args:
        run: The run.
        definition: Its sweep.
        eager: Whether the agent calls a function: that one does not look by itself.
        now: The time.
    """
    if not run.stop_requested:
        return False
    program = definition.program or ":"  # module:function: no `wandb agent` can start that
    is_ours = writers.has_worker(run.holder)
    is_script = ":" not in program and not (eager or is_ours) and run.started_at is not None
    return not is_script or now >= run.stop_due
