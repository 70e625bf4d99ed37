"""How runs end, each with its reason, and how one goes back to the queue instead.

Functions of a write connection. The states are drawn in `sweeper.run`.
"""

from __future__ import annotations

from sweeper.run import RunState
from sweeper.server.errors import RequestError
from sweeper.server.rules import gaps, own_scheduler, sweep_transitions
from sweeper.server.rules.run_transitions import fence, taken_up
from sweeper.server.store import attempts, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun

INTERRUPTED = 255
"""What wandb-core 0.31.0 reports after Ctrl-C."""
BEFORE_INIT = "the trainer ended before wandb.init"


def complete(db: Connection, run: StoredRun, exit_code: int, *, now: float) -> StoredRun:
    """End a run that reported its own end; a repeated report changes nothing."""
    if run.state.ended and run.exit_code is not None:
        return run
    # A trainer that is told to stop ends with whatever code it likes: it was killed all the same.
    if run.stop_requested:
        state, reason = RunState.KILLED, run.reason
    elif exit_code == 0:
        state, reason = RunState.FINISHED, ""
    elif run.preempting:  # the machine was taken away, whatever it did to the process
        return _requeue(db, run, exit_code, "preempted", now=now)
    elif exit_code == INTERRUPTED:
        state, reason = RunState.KILLED, "stopped by a person (Ctrl-C)"
    else:
        state, reason = RunState.FAILED, f"exit code {exit_code}"
    gap = gaps.find(db, run) if state is RunState.FINISHED else ""
    ended = runs.update(
        db, run.id, state=state, reason=reason, exit_code=exit_code, gap=gap, ended_at=now, heartbeat_at=now
    )
    sweep_transitions.run_ended(db, run, now=now)
    return ended


def vanished(db: Connection, run: StoredRun, *, now: float) -> None:
    """End a run that its agent no longer lists although it never reported its end."""
    if run.started_at is None:
        _died(db, run, BEFORE_INIT, state=RunState.FAILED, now=now)
    else:
        _died(db, run, "its process ended without a word (killed, or out of memory?)", now=now)


def silent(db: Connection, run: StoredRun, *, now: float, retries: int) -> None:
    """End a run that nobody has heard of for too long, or let its sweep's next free agent have it.

    Args:
        db: The write connection.
        run: The run.
        now: The time.
        retries: How often a run may be lost and handed out again.
    """
    if own_scheduler.is_controller(run):  # a scheduler never reports its end (wandb 0.31)
        runs.update(db, run.id, state=RunState.FINISHED, ended_at=run.heartbeat_at)
        return
    reason = f"no heartbeat for {now - run.heartbeat_at:.0f} s"
    if _may_return(db, run) and run.losses < retries:
        _lose(db, run, reason, now=now)
    else:
        times = f", lost {run.losses + 1} times" if run.losses else ""
        _died(db, run, reason + times, now=now)


def _may_return(db: Connection, run: StoredRun) -> bool:
    """Whether a silent run is one that its sweep can hand out again."""
    if run.sweep_id is None or run.agent_id is None or run.stop_requested or run.preempting:
        return False
    return not sweeps.get(db, run.sweep_id).state.ended


def _lose(db: Connection, run: StoredRun, reason: str, *, now: float) -> None:
    """Take a run from a silent agent. It is fenced off when another one gets the run, so it may come back till then."""
    runs.update(
        db,
        run.id,
        state=RunState.PREEMPTED,
        reason=f"{reason}: it waits for another agent",
        agent_id=None,
        lost_agent_id=run.agent_id,
        losses=run.losses + 1,
        accepted=0,
        sends=0,
        attempt=run.attempt + 1,
        resuming=0,  # the next process says by itself whether it goes on
        ended_at=now,
    )


def taken_back(db: Connection, run: StoredRun, *, now: float) -> None:
    """End a run that its agent never began and that nobody will come for: it is to stop, or its sweep has ended."""
    if run.stop_requested or (run.sweep_id is not None and sweeps.get(db, run.sweep_id).state.ended):
        reason = run.reason or "the sweep was stopped before it started"
        runs.update(
            db, run.id, state=RunState.KILLED, reason=reason, ended_at=now, stop_requested=1, **taken_up(db, run)
        )
        sweep_transitions.run_ended(db, run, now=now)


def never_started(db: Connection, run: StoredRun, *, now: float) -> None:
    """End a run that was handed out again and again and never reported."""
    _died(db, run, f"{BEFORE_INIT} (handed out {run.sends} times)", state=RunState.FAILED, now=now)


def _died(db: Connection, run: StoredRun, reason: str, *, state: RunState = RunState.CRASHED, now: float) -> None:
    if run.stop_requested:
        runs.update(db, run.id, state=RunState.KILLED, ended_at=now, **taken_up(db, run))
    elif run.preempting:
        _requeue(db, run, None, "preempted", now=now)
        return
    else:
        runs.update(db, run.id, state=state, reason=reason, ended_at=now, **taken_up(db, run))
    sweep_transitions.run_ended(db, run, now=now)


def _requeue(db: Connection, run: StoredRun, exit_code: int | None, reason: str, *, now: float) -> StoredRun:
    """Put a run back: the next free agent of its sweep gets it, and its last process is heard no more."""
    return runs.update(
        db,
        run.id,
        state=RunState.PREEMPTED,
        reason=reason,
        agent_id=None,
        lost_agent_id=None,
        accepted=0,
        sends=0,
        preempting=0,
        stop_requested=0,
        stop="",
        attempt=run.attempt + 1,
        resuming=0,
        exit_code=exit_code,
        ended_at=now,
        **taken_up(db, run),
        **fence(run),
    )


def requeue(db: Connection, run: StoredRun, *, now: float, reason: str = "") -> StoredRun:
    """Hand a run out again, with its id, because its worker or a person asks for it; a waiting one just waits.

    Args:
        db: The write connection.
        run: The run.
        now: The time.
        reason: How its process ended, of which only its worker can tell; empty if a person asks.

    Raises:
        RequestError: It has finished, or its sweep gives out no runs any more.
    """
    if run.lost_agent_id:  # whoever asks knows that its process is gone
        return runs.update(db, run.id, lost_agent_id=None, **fence(run))
    if run.state in {RunState.PENDING, RunState.PREEMPTED}:
        # its process ended before it began: its agent went with it, and would be waited for in vain
        free = {"agent_id": None, "accepted": 0, "sends": 0, **fence(run)} if reason else {}
        return runs.update(db, run.id, state=run.state, **taken_up(db, run), **free)  # whoever asks has it
    if run.state is RunState.FINISHED or run.sweep_id is None:
        what = "has finished" if run.sweep_id is not None else "belongs to no sweep"
        raise RequestError(f"run {run.name} {what}: it cannot be handed out again")
    if run.beyond:
        raise RequestError(f"run {run.name} has what its sweep's file, which was edited, does not ask for any more")
    # First: a sweep that a person ended refuses, and then nothing of the run may have changed.
    sweep_transitions.reopen(db, sweeps.get(db, run.sweep_id), now=now)
    if reason:
        attempts.explain(db, run.id, reason)
    return _requeue(db, run, run.exit_code, "requeued", now=now)


def give_up(db: Connection, run: StoredRun, *, now: float, reason: str = "") -> StoredRun:
    """End a run that its worker has given up; one that has ended stays as it is, and is told why.

    Args:
        db: The write connection.
        run: The run.
        now: The time.
        reason: What its worker saw: more than an exit code, or the silence after which we take a run for crashed.
    """
    if run.state.ended:
        known = not reason or run.state not in {RunState.FAILED, RunState.CRASHED}
        return run if known else runs.update(db, run.id, state=RunState.FAILED, reason=reason)
    if run.stop_requested:
        state, reason = RunState.KILLED, run.reason
    elif own_scheduler.is_controller(run):
        state, reason = RunState.FINISHED, ""
    else:
        state, reason = RunState.FAILED, reason or "given up by its worker"
    ended = runs.update(db, run.id, state=state, reason=reason, ended_at=now, **taken_up(db, run), **fence(run))
    sweep_transitions.run_ended(db, run, now=now)
    return ended
