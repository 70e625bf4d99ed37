"""The life of runs: every change of their states, each ending with its reason.

Functions of a write connection. The states are drawn in `sweeper.run`.
"""

from __future__ import annotations

from collections.abc import Collection

from sweeper.run import RunState
from sweeper.server.errors import RequestError
from sweeper.server.rules import controllers, sweep_transitions, writers
from sweeper.server.store import lines, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun

INTERRUPTED = 255
"""What wandb-core 0.31.0 reports after Ctrl-C."""
_UNTOUCHED = {"stop_requested": 0, "stop": "", "reason": "", "preempting": 0}
"""The columns that keep an ended run from running again."""
LOST_RETRIES = 2
"""How often a run is handed out again because its agent fell silent, unless the server is told otherwise."""


def sent(db: Connection, run: StoredRun, agent_id: int, *, now: float) -> StoredRun:
    """Assign a run to an agent; sending it once more counts too. Whoever had it before is heard no more."""
    return runs.update(
        db,
        run.id,
        state=RunState.PENDING,
        agent_id=agent_id,
        lost_agent_id=None,
        sends=run.sends + 1,
        heartbeat_at=now,
        holder="",
        fenced=f"{run.fenced} {run.holder}".strip(),
    )


def heard(db: Connection, run: StoredRun, *, now: float) -> StoredRun:
    """Note that a run's own process reported: it begins, goes on, is resumed, or was taken for dead.

    One that was told to stop stays ended: what comes then is the rest of its output. One that was lost, and that no
    other agent has been given yet, is its old agent's again.
    """
    if run.live or (run.state.ended and run.stop_requested and run.started_at is not None):
        return runs.update(db, run.id, heartbeat_at=now)
    first = run.started_at if run.started_at is not None else now
    reason = run.reason if run.stop_requested else ""
    state = RunState.PREEMPTING if run.preempting else RunState.RUNNING
    back = {"agent_id": run.lost_agent_id, "lost_agent_id": None, "accepted": 1} if run.lost_agent_id else {}
    return runs.update(
        db,
        run.id,
        state=state,
        reason=reason,
        started_at=first,
        heartbeat_at=now,
        ended_at=None,
        exit_code=None,
        **back,
    )


def listed(db: Connection, run: StoredRun, *, now: float) -> None:
    """Note that an agent says a run is queued or running with it."""
    run = runs.update(db, run.id, heartbeat_at=now, accepted=1)
    if run.lost_agent_id or (run.state is RunState.CRASHED and run.started_at is not None):
        heard(db, run, now=now)


def begins(db: Connection, run: StoredRun, writing: Collection[str], *, first: bool = False, now: float) -> StoredRun:
    """Note that a process starts on a run; one that starts anew, instead of resuming, gets an empty history.

    Args:
        db: The write connection.
        run: The run.
        writing: The names of the process, as far as it tells.
        first: This is certainly the first that the process says, and it does not resume.
        now: The time.

    Raises:
        RequestError: The run was taken from that process.
    """
    check_holder(run, writing)
    if starts_anew(run, first=first):
        lines.clear(db, run.id)
        run = runs.update(db, run.id, summary="{}", history_keys="{}", started_at=None, holder="", **_UNTOUCHED)
    if run.live or run.state is RunState.PENDING or (run.state.ended and run.started_at is None):
        run = heard(db, run, now=now)
    return wrote(db, run, writing)


def wrote(db: Connection, run: StoredRun, writing: Collection[str]) -> StoredRun:
    """Note which process writes for a run, by all its names."""
    known = run.holder.split()
    new = [name for name in writing if not writers.is_among(name, known)]
    return runs.update(db, run.id, holder=" ".join([*known, *new])) if new and run.live else run


def starts_anew(run: StoredRun, *, first: bool = False) -> bool:
    """Whether a process begins at the first step of a run that has a history.

    Such a run was handed out again, or has ended and its id is used once more: W&B then overwrites it.
    """
    handed_out = run.state is RunState.PENDING and not run.resuming
    return run.started_at is not None and (handed_out or (first and run.state.ended))


def resumes(db: Connection, run: StoredRun, writing: Collection[str], *, now: float) -> StoredRun:
    """Note that a process goes on with a run, behind what it has logged; a stop from before counts no more.

    Raises:
        RequestError: The run was taken from that process.
    """
    check_holder(run, writing)
    if run.state.ended:
        run = runs.update(db, run.id, **_UNTOUCHED)
    return wrote(db, heard(db, run, now=now), writing)


def check_holder(run: StoredRun, writing: Collection[str]) -> None:
    """Refuse the late words of a process whose run was given to another one.

    Raises:
        RequestError: They are.
    """
    fenced = run.fenced.split()
    if any(writers.is_among(name, fenced) for name in writing):
        raise RequestError(f"run {run.name} was taken from this process and given to another one")


def asks_to_resume(db: Connection, run: StoredRun) -> None:
    """Note that a run's next process goes on where the last one was: what it logged stays."""
    if not run.resuming:
        runs.update(db, run.id, resuming=1)


def preempting(db: Connection, run: StoredRun) -> StoredRun:
    """Note that a run's machine is about to be taken away."""
    return runs.update(db, run.id, state=RunState.PREEMPTING, preempting=1)


def complete(db: Connection, run: StoredRun, exit_code: int, *, now: float) -> StoredRun:
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
    sweep_transitions.settle_of(db, run, now=now)
    return ended


def vanished(db: Connection, run: StoredRun, *, now: float) -> None:
    """End a run that its agent no longer lists although it never reported its end."""
    if run.started_at is None:
        reason = "the trainer ended before wandb.init"
    else:
        reason = "its process ended without a word (killed, or out of memory?)"
    _died(db, run, reason, now=now)


def silent(db: Connection, run: StoredRun, *, now: float, retries: int) -> None:
    """End a run that nobody has heard of for too long, or let its sweep's next free agent have it.

    Args:
        db: The write connection.
        run: The run.
        now: The time.
        retries: How often a run may be lost and handed out again.
    """
    if controllers.is_controller(run):  # a scheduler never reports its end (wandb 0.31)
        runs.update(db, run.id, state=RunState.FINISHED, ended_at=run.heartbeat_at)
        return
    reason = f"no heartbeat for {now - run.heartbeat_at:.0f} s"
    if _may_return(db, run) and run.losses < retries:
        _lose(db, run, reason, now=now)
    else:
        attempt = f" (attempt {run.losses + 1})" if run.losses else ""
        _died(db, run, reason + attempt, now=now)


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
        resuming=0,
        ended_at=now,
    )


def never_started(db: Connection, run: StoredRun, *, now: float) -> None:
    """End a run that was handed out again and again and never reported."""
    _died(db, run, f"handed out {run.sends} times, the trainer never came to wandb.init", now=now)


def _died(db: Connection, run: StoredRun, reason: str, *, now: float) -> None:
    if run.stop_requested:
        runs.update(db, run.id, state=RunState.KILLED, ended_at=now)
    elif run.preempting:
        _requeue(db, run, None, "preempted", now=now)
        return
    else:
        runs.update(db, run.id, state=RunState.CRASHED, reason=reason, ended_at=now)
    sweep_transitions.settle_of(db, run, now=now)


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
        holder="",
        fenced=f"{run.fenced} {run.holder}".strip(),
        exit_code=exit_code,
        ended_at=now,
    )


def requeue(db: Connection, run: StoredRun, *, now: float) -> StoredRun:
    """Hand a run out again, with its id, because its worker or a person asks for it; a waiting one just waits.

    Raises:
        RequestError: It has finished, or its sweep gives out no runs any more.
    """
    if run.lost_agent_id:  # whoever asks knows that its process is gone
        fenced = f"{run.fenced} {run.holder}".strip()
        return runs.update(db, run.id, lost_agent_id=None, holder="", fenced=fenced)
    if run.state in {RunState.PENDING, RunState.PREEMPTED}:
        return run
    if run.state is RunState.FINISHED or run.sweep_id is None:
        what = "has finished" if run.sweep_id is not None else "belongs to no sweep"
        raise RequestError(f"run {run.name} {what}: it cannot be handed out again")
    sweep_transitions.reopen(db, sweeps.get(db, run.sweep_id), now=now)
    return _requeue(db, run, run.exit_code, "requeued", now=now)


def give_up(db: Connection, run: StoredRun, *, now: float) -> StoredRun:
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
    sweep_transitions.settle_of(db, run, now=now)
    return ended


def reap(
    db: Connection,
    *,
    now: float,
    started_at: float,
    agent_timeout_s: float,
    bare_timeout_s: float,
    lost_retries: int = LOST_RETRIES,
) -> list[StoredRun]:
    """End what has fallen silent and take unstarted runs from silent agents.

    Args:
        db: The write connection.
        now: The time.
        started_at: Since when the server has listened; nothing is held against anybody for the time before.
        agent_timeout_s: Silence after which an agent and its runs are given up. A run is heard through its
            agent and through its own stream: an agent thread that hangs in C code is no crash.
        bare_timeout_s: The same for a run without an agent.
        lost_retries: How often a run whose agent fell silent is handed out again.

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
        silent(db, run, now=now, retries=lost_retries)
    return found


def _unassign(db: Connection, agent_limit: float) -> None:
    db.execute(
        "UPDATE runs SET agent_id = NULL, accepted = 0 WHERE state = 'pending' AND agent_id IN"
        " (SELECT id FROM agents WHERE heartbeat_at < ?)",
        (agent_limit,),
    )
