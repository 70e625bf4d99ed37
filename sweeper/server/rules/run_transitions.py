"""The life of runs up to their end: handed out, listed, begun, resumed. How they end is in `run_endings.py`.

Functions of a write connection. The states are drawn in `sweeper.run`.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from sweeper.run import RunState
from sweeper.server.errors import RequestError
from sweeper.server.rules import gaps, stop_requests, writers
from sweeper.server.store import history_gaps, line_cuts, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun

_UNTOUCHED = {"stop_requested": 0, "stop": "", "reason": "", "preempting": 0}
"""The columns that keep an ended run from running again."""


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
        **fence(run),
    )


def taken_up(db: Connection, run: StoredRun) -> dict[str, object]:
    """Give the columns that make a run of what was only offered: it is its sweep's next one, and is named so."""
    if not run.offered or run.sweep_id is None:
        return {}
    sweep = sweeps.get(db, run.sweep_id)
    return {"offered": 0, "display_name": runs.next_name(db, sweep, json.loads(run.params))}


def fence(run: StoredRun) -> dict[str, object]:
    """Give the columns that shut out the process at work on a run: what it still sends is refused from now on."""
    return {"holder": "", "fenced": f"{run.fenced} {run.holder}".strip()}


def heard(db: Connection, run: StoredRun, *, now: float) -> StoredRun:
    """Note that a run's own process reported: it begins, goes on, is resumed, or was taken for dead.

    One that was told to stop stays ended: what comes then is the rest of its output. One that was lost, and that no
    other agent has been given yet, is its old agent's again.
    """
    if run.live or (run.state.ended and run.stop_requested and run.started_at is not None):
        runs.beat(db, run.id, now=now)
        return replace(run, heartbeat_at=now)
    first = run.started_at if run.started_at is not None else now
    reason = run.reason if run.stop_requested else ""
    state = RunState.PREEMPTING if run.preempting else RunState.RUNNING
    # The fence goes up only when another agent gets it: until then the machine may just have been away.
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
        **taken_up(db, run),
        **back,
    )


def listed(db: Connection, run: StoredRun, *, now: float) -> bool:
    """Note that an agent says a run is queued or running with it; tell whether that is news."""
    news = not run.accepted or bool(run.offered)
    if news:
        run = runs.update(db, run.id, heartbeat_at=now, accepted=1, **taken_up(db, run))
    else:  # as nearly always
        runs.beat(db, run.id, now=now)
    # Not what failed or was stopped: an agent lists a run until its process is gone, some seconds after its end.
    if run.lost_agent_id or (run.state is RunState.CRASHED and run.started_at is not None):
        heard(db, run, now=now)
        return True
    return news


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
        stopped = stop_requests.was_on_its_way(run)
        kept = gaps.begun_anew(db, run, again=stopped or not run.state.ended) | ({} if stopped else _UNTOUCHED)
        line_cuts.clear(db, run.id)
        run = runs.update(db, run.id, summary="{}", history_keys="{}", started_at=None, holder="", part="", **kept)
    # One that ended before it began was given up too early; one that has ended and says more is only late.
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
    # Without `resume` the SDK counts steps from 0 again; two histories would lie over each other.
    handed_out = run.state is RunState.PENDING and not run.resuming
    return run.started_at is not None and (handed_out or (first and run.state.ended))


def resumes(db: Connection, run: StoredRun, writing: Collection[str], *, now: float) -> StoredRun:
    """Note that a process goes on with a run, behind what it has logged; a stop from before counts no more.

    Raises:
        RequestError: The run was taken from that process.
    """
    check_holder(run, writing)
    if run.resuming:
        run = runs.update(db, run.id, resuming=1)  # who asked has come, and nobody else goes on by that
    if stop_requests.was_on_its_way(run):  # not a stop from before: it is for this process
        run = runs.update(db, run.id, state=RunState.PENDING, part="", gap="")
    elif run.state.ended:
        run = runs.update(db, run.id, part="", gap="", **_UNTOUCHED)
    run = history_gaps.note_join(db, run)
    return wrote(db, heard(db, run, now=now), writing)


def check_holder(run: StoredRun, writing: Collection[str]) -> None:
    """Refuse the late words of a process whose run was given to another one.

    Raises:
        RequestError: They are.
    """
    fenced = run.fenced.split()
    if any(writers.is_among(name, fenced) for name in writing):
        raise RequestError(f"run {run.name} was taken from this process and given to another one")


def check_sender(run: StoredRun, writing: Collection[str]) -> None:
    """Refuse what a process sends of a run that was taken from it.

    While a run waits for its next process to begin, words that name nobody can only be the last one's: the next one
    begins with its config (`begins`, `resumes`), and whatever else it sends comes later.

    Raises:
        RequestError: The run was taken from that process, or from whoever says nothing of itself.
    """
    check_holder(run, writing)
    waits = run.state in {RunState.PENDING, RunState.PREEMPTED} and run.started_at is not None
    # One that was lost may come back until another agent has it.
    if waits and not writing and run.lost_agent_id is None:
        raise RequestError(f"run {run.name} was taken from its process and waits for another one to begin")


def asks_to_resume(db: Connection, run: StoredRun, *, now: float) -> None:
    """Note when a run's next process asked to go on where the last one was: what it logged stays."""
    runs.update(db, run.id, resuming=int(now))


def preempting(db: Connection, run: StoredRun) -> StoredRun:
    """Note that a run's machine is about to be taken away."""
    return runs.update(db, run.id, state=RunState.PREEMPTING, preempting=1)
