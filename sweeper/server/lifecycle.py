"""The life of runs and sweeps: every change of their states, each ending with its reason.

Functions of a write connection. The states are drawn in `sweeper.run`.
"""

from __future__ import annotations

import sqlite3

from sweeper.run import RunState, StopDecision, SweepState
from sweeper.server import controllers, lines, runs, sweeps
from sweeper.server.refusal import RequestError
from sweeper.server.runs import StoredRun
from sweeper.server.sweeps import Sweep

INTERRUPTED = 255
"""What wandb-core 0.31.0 reports after Ctrl-C."""


def sent(db: sqlite3.Connection, run: StoredRun, agent_id: int, *, now: float) -> StoredRun:
    """Assign a run to an agent; sending it once more counts too."""
    return runs.update(db, run.id, state=RunState.PENDING, agent_id=agent_id, sends=run.sends + 1, heartbeat_at=now)


def heard(db: sqlite3.Connection, run: StoredRun, *, now: float) -> StoredRun:
    """Note that a run's own process reported: it begins, goes on, is resumed, or was taken for dead.

    One that was told to stop stays ended: what comes then is the rest of its output.
    """
    if run.live or (run.state.ended and run.stop_requested and run.started_at is not None):
        return runs.update(db, run.id, heartbeat_at=now)
    first = run.started_at if run.started_at is not None else now
    reason = run.reason if run.stop_requested else ""
    state = RunState.PREEMPTING if run.preempting else RunState.RUNNING
    return runs.update(
        db, run.id, state=state, reason=reason, started_at=first, heartbeat_at=now, ended_at=None, exit_code=None
    )


def listed(db: sqlite3.Connection, run: StoredRun, *, now: float) -> None:
    """Note that an agent says a run is queued or running with it."""
    run = runs.update(db, run.id, heartbeat_at=now, accepted=1)
    if run.state is RunState.CRASHED and run.started_at is not None:
        heard(db, run, now=now)


def begins(db: sqlite3.Connection, run: StoredRun, holder: str, *, now: float) -> StoredRun:
    """Note that a process starts on a run; one that starts anew, instead of resuming, gets an empty history.

    Args:
        db: The write connection.
        run: The run.
        holder: The name the process sends; empty for one without.
        now: The time.

    Raises:
        RequestError: The run was taken from that process.
    """
    check_holder(run, holder)
    if starts_anew(run):
        lines.clear(db, run.id)
        run = runs.update(db, run.id, summary="{}", history_keys="{}", started_at=None)
    if run.live or run.state is RunState.PENDING or (run.state.ended and run.started_at is None):
        run = heard(db, run, now=now)
    return runs.update(db, run.id, holder=holder) if holder else run


def starts_anew(run: StoredRun) -> bool:
    """Whether the next process of a run that was handed out again begins at its first step."""
    return run.state is RunState.PENDING and run.started_at is not None and not run.resuming


def check_holder(run: StoredRun, holder: str) -> None:
    """Refuse the late words of a process whose run was given to another one.

    Raises:
        RequestError: They are.
    """
    if holder and holder in run.fenced.split():
        raise RequestError(f"run {run.name} was taken from this process and given to another one")


def asks_to_resume(db: sqlite3.Connection, run: StoredRun) -> None:
    """Note that a run's next process goes on where the last one was: what it logged stays."""
    if not run.resuming:
        runs.update(db, run.id, resuming=1)


def preempting(db: sqlite3.Connection, run: StoredRun) -> StoredRun:
    """Note that a run's machine is about to be taken away."""
    return runs.update(db, run.id, state=RunState.PREEMPTING, preempting=1)


def request_stop(db: sqlite3.Connection, run_id: int, reason: str, decision: StopDecision | None = None) -> None:
    """Mark a run to be stopped, by early termination if its decision is given; the first reason given stays."""
    run = runs.get(db, run_id)
    if not run.state.ended and not run.stop_requested:
        stop = runs.stop_text(decision) if decision else ""
        runs.update(db, run_id, stop_requested=1, reason=reason, stop=stop)


def complete(db: sqlite3.Connection, run: StoredRun, exit_code: int, *, now: float) -> StoredRun:
    """End a run that reported its own end; a repeated report changes nothing."""
    if run.state.ended and run.exit_code is not None:
        return run
    if run.stop_requested:
        state, reason = RunState.KILLED, run.reason
    elif exit_code == 0:
        state, reason = RunState.FINISHED, ""
    elif run.preempting:
        return _requeue(db, run, exit_code, "preempted", now=now)
    elif exit_code == INTERRUPTED:
        state, reason = RunState.KILLED, "stopped by a person (Ctrl-C)"
    else:
        state, reason = RunState.FAILED, f"exit code {exit_code}"
    ended = runs.update(db, run.id, state=state, reason=reason, exit_code=exit_code, ended_at=now, heartbeat_at=now)
    _settle_of(db, run, now=now)
    return ended


def vanished(db: sqlite3.Connection, run: StoredRun, *, now: float) -> None:
    """End a run that its agent no longer lists although it never reported its end."""
    if run.started_at is None:
        reason = "the trainer ended before wandb.init"
    else:
        reason = "its process ended without a word (killed, or out of memory?)"
    _died(db, run, reason, now=now)


def silent(db: sqlite3.Connection, run: StoredRun, *, now: float) -> None:
    """End a run that nobody has heard of for too long."""
    if controllers.is_controller(run):  # a scheduler never reports its end (wandb 0.31)
        runs.update(db, run.id, state=RunState.FINISHED, ended_at=run.heartbeat_at)
        return
    _died(db, run, f"no heartbeat for {now - run.heartbeat_at:.0f} s", now=now)


def never_started(db: sqlite3.Connection, run: StoredRun, *, now: float) -> None:
    """End a run that was handed out again and again and never reported."""
    _died(db, run, f"handed out {run.sends} times, the trainer never came to wandb.init", now=now)


def _died(db: sqlite3.Connection, run: StoredRun, reason: str, *, now: float) -> None:
    if run.stop_requested:
        runs.update(db, run.id, state=RunState.KILLED, ended_at=now)
    elif run.preempting:
        _requeue(db, run, None, "preempted", now=now)
        return
    else:
        runs.update(db, run.id, state=RunState.CRASHED, reason=reason, ended_at=now)
    _settle_of(db, run, now=now)


def _requeue(db: sqlite3.Connection, run: StoredRun, exit_code: int | None, reason: str, *, now: float) -> StoredRun:
    """Put a run back: the next free agent of its sweep gets it, and its last process is heard no more."""
    return runs.update(
        db,
        run.id,
        state=RunState.PREEMPTED,
        reason=reason,
        agent_id=None,
        accepted=0,
        sends=0,
        preempting=0,
        stop_requested=0,
        stop="",
        attempt=run.attempt + 1,
        resuming=0,
        holder="",
        fenced=f"{run.fenced} {run.holder}".strip(),
        exit_code=exit_code,
        ended_at=now,
    )


def requeue(db: sqlite3.Connection, run: StoredRun, *, now: float) -> StoredRun:
    """Hand a run out again, with its id, because its worker or a person asks for it; a waiting one just waits.

    Raises:
        RequestError: It has finished, or its sweep gives out no runs any more.
    """
    if run.state in {RunState.PENDING, RunState.PREEMPTED}:
        return run
    if run.state is RunState.FINISHED or run.sweep_id is None:
        what = "has finished" if run.sweep_id is not None else "belongs to no sweep"
        raise RequestError(f"run {run.name} {what}: it cannot be handed out again")
    _reopen(db, sweeps.get(db, run.sweep_id), now=now)
    return _requeue(db, run, run.exit_code, "requeued", now=now)


def _reopen(db: sqlite3.Connection, sweep: Sweep, *, now: float) -> None:
    """Let a sweep that ended by itself give out a run again; one that a person ended stays so."""
    if not sweep.state.ended:
        return
    expected = sweep.definition.expected_runs
    whole = sweep.exhausted or (expected is not None and runs.count(db, sweep.id) >= expected)
    if sweep.state is SweepState.CANCELED or not whole:
        words = "canceled" if sweep.state is SweepState.CANCELED else "stopped: open it again first (sweeper resume)"
        raise RequestError(f"sweep {sweep.name} is {words}")
    sweeps.set_state(db, sweep.id, SweepState.RUNNING, now=now)


def give_up(db: sqlite3.Connection, run: StoredRun, *, now: float) -> StoredRun:
    """End a run that its worker has given up; one that has ended stays as it is."""
    if run.state.ended:
        return run
    if run.stop_requested:
        state, reason = RunState.KILLED, run.reason
    elif controllers.is_controller(run):
        state, reason = RunState.FINISHED, ""
    else:
        state, reason = RunState.FAILED, "given up by its worker"
    fenced = f"{run.fenced} {run.holder}".strip()
    ended = runs.update(db, run.id, state=state, reason=reason, ended_at=now, holder="", fenced=fenced)
    _settle_of(db, run, now=now)
    return ended


def reap(
    db: sqlite3.Connection, *, now: float, started_at: float, agent_timeout_s: float, bare_timeout_s: float
) -> list[StoredRun]:
    """End what has fallen silent and take unstarted runs from silent agents.

    Args:
        db: The write connection.
        now: The time.
        started_at: When the server started; nothing is held against anybody for the time before.
        agent_timeout_s: Silence after which an agent and its runs are given up. A run is heard through its
            agent and through its own stream: an agent thread that hangs in C code is no crash.
        bare_timeout_s: The same for a run without an agent.

    Returns:
        The runs that were ended or taken back.
    """
    agent_limit, bare_limit = now - agent_timeout_s, now - bare_timeout_s
    found: list[StoredRun] = []
    if started_at <= agent_limit:
        dead = "state IN ('running', 'preempting') AND agent_id IS NOT NULL AND heartbeat_at < ?"
        found += runs.where(db, dead, (agent_limit,))
        _unassign(db, agent_limit)
    if started_at <= bare_limit:
        dead = "state IN ('running', 'preempting') AND agent_id IS NULL AND heartbeat_at < ?"
        found += runs.where(db, dead, (bare_limit,))
    for run in found:
        silent(db, run, now=now)
    return found


def _unassign(db: sqlite3.Connection, agent_limit: float) -> None:
    db.execute(
        "UPDATE runs SET agent_id = NULL, accepted = 0 WHERE state = 'pending' AND agent_id IN"
        " (SELECT id FROM agents WHERE heartbeat_at < ?)",
        (agent_limit,),
    )


def settle(db: sqlite3.Connection, sweep_id: int, *, now: float) -> Sweep:
    """Finish a sweep that has given out all its runs and waits for none."""
    sweep = sweeps.get(db, sweep_id)
    if sweep.state.ended or runs.count(db, sweep_id, runs.UNFINISHED):
        return sweep
    expected = sweep.definition.expected_runs
    is_complete = expected is not None and runs.count(db, sweep_id) >= expected
    if sweep.exhausted or is_complete or is_over(db, sweep):
        sweeps.set_state(db, sweep_id, SweepState.FINISHED, now=now)
        return sweeps.get(db, sweep_id)
    return sweep


def is_over(db: sqlite3.Connection, sweep: Sweep) -> bool:
    """Whether a sweep has made as many runs as its file allows, or reached its target."""
    cap = sweep.definition.run_cap
    return (cap is not None and runs.count(db, sweep.id) >= cap) or reached_target(db, sweep)


def reached_target(db: sqlite3.Connection, sweep: Sweep) -> bool:
    """Whether a run of a sweep has logged a value as good as the metric's target."""
    metric = sweep.definition.metric
    if metric is None or metric.target is None:
        return False
    return lines.metric_reached(db, sweep.id, metric.target, metric.goal)


def _settle_of(db: sqlite3.Connection, run: StoredRun, *, now: float) -> None:
    if run.sweep_id is not None:
        sweep = sweeps.get(db, run.sweep_id)
        if _reaches_target(db, sweep, run):
            sweeps.set_exhausted(db, run.sweep_id)
            drop_waiting(db, sweep, now=now)
        settle(db, run.sweep_id, now=now)


def _reaches_target(db: sqlite3.Connection, sweep: Sweep, run: StoredRun) -> bool:
    """Whether an ended run reached its sweep's target, be it in its summary alone."""
    metric = sweep.definition.metric
    if sweep.definition.metrics:
        return sweep.definition.met(runs.seen_run(db, sweep, run.id).values)
    if metric is None or metric.target is None:
        return False
    best = runs.seen_run(db, sweep, run.id).best(metric.goal)
    return best is not None and (best <= metric.target if metric.goal == "minimize" else best >= metric.target)


def drop_waiting(db: sqlite3.Connection, sweep: Sweep, *, now: float) -> None:
    """End the runs that a scheduler of the sweep's own has proposed and nobody needs any more."""
    if sweep.definition.scheduler is None:
        return
    for run in runs.where(db, "sweep_id = ? AND state = 'pending' AND agent_id IS NULL", (sweep.id,)):
        reason = "a run had reached the sweep's target before it started"
        runs.update(db, run.id, state=RunState.KILLED, ended_at=now, reason=reason, stop_requested=1)


def set_sweep_state(db: sqlite3.Connection, sweep: Sweep, state: SweepState, *, now: float) -> None:
    """Do what a person asked of a sweep: stop (FINISHED), cancel, pause or resume it.

    Raises:
        RequestError: The sweep was canceled; it cannot come back.
    """
    if sweep.state is SweepState.CANCELED and state is not SweepState.CANCELED:
        raise RequestError(f"sweep {sweep.name} is canceled: create a new one")
    sweeps.set_state(db, sweep.id, state, now=now)
    if state.ended:
        _end_waiting(db, sweep, "the sweep was stopped before it started", now=now)
    if state is SweepState.CANCELED:
        for run in runs.of_sweep(db, sweep.id):
            request_stop(db, run.id, "the sweep was canceled")


def _end_waiting(db: sqlite3.Connection, sweep: Sweep, reason: str, *, now: float) -> None:
    """End the runs that no agent has taken up; one whose command is on its way is stopped when it starts."""
    for run in runs.of_sweep(db, sweep.id):
        if run.state in {RunState.PENDING, RunState.PREEMPTED} and not run.accepted:
            runs.update(db, run.id, state=RunState.KILLED, reason=reason, ended_at=now, stop_requested=1)
