"""What a person asks of a sweep or a run by hand: what makes sense in its state, by whose right, and noted with why.

Functions of a write connection, but for those that only tell what may be asked.
"""

from __future__ import annotations

from typing import Literal, get_args

from sweeper.plain_text import plain
from sweeper.run import RunState, SweepState
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.rules import rights, run_endings, stop_requests, sweep_transitions
from sweeper.server.store import actions, runs, sweeps
from sweeper.server.store.actions import Action
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep
from sweeper.server.store.users import User

SweepAction = Literal["pause", "resume", "stop", "cancel"]
RunAction = Literal["stop", "retry"]
SWEEP_ACTIONS: tuple[SweepAction, ...] = get_args(SweepAction)
RUN_ACTIONS: tuple[RunAction, ...] = get_args(RunAction)
MAX_REASON = 500
"""Characters of a reason that are kept."""

_STATES: dict[SweepAction, SweepState] = {
    "pause": SweepState.PAUSED,
    "resume": SweepState.RUNNING,
    "stop": SweepState.FINISHED,
    "cancel": SweepState.CANCELED,
}
_BROKEN = (RunState.FAILED, RunState.CRASHED, RunState.KILLED)


def possible_for_sweep(db: Connection, sweep: Sweep) -> list[SweepAction]:
    """List what can be asked of a sweep now."""
    return [action for action in SWEEP_ACTIONS if not _against_sweep(db, sweep, action)]


def possible_for_run(db: Connection, run: StoredRun) -> list[RunAction]:
    """List what can be asked of a run now."""
    return [action for action in RUN_ACTIONS if not _against_run(db, run, action)]


def hands_out_again(db: Connection, sweep: Sweep) -> bool:
    """Whether a sweep would give out a run that is to be tried once more."""
    # one that a person ended stays so; having given out everything tells that it ended by itself
    return not sweep.state.ended or (sweep.state is SweepState.FINISHED and sweep_transitions.has_run_out(db, sweep))


def _against_sweep(db: Connection, sweep: Sweep, action: SweepAction) -> str:
    """Say what stands against it; empty if nothing does."""
    state = sweep.state
    if state is SweepState.CANCELED:
        return "it is canceled, and that is for good: create a new one"
    if _STATES[action] is state or (action == "resume" and state is SweepState.PENDING):
        return f"it is {state.word} already"
    if action == "pause" and state is SweepState.FINISHED:
        return "it has finished: resume it first"
    if action == "resume" and state is SweepState.FINISHED:
        over = sweep_transitions.has_run_out(db, sweep) or sweep_transitions.is_over(db, sweep)
        return "it has made all its runs: `sweeper edit` gives it more" if over else ""
    if action == "cancel" and state is SweepState.FINISHED and not runs.count(db, sweep.id, runs.UNFINISHED):
        return "it has finished, and no run is at work"
    return ""


def _against_run(db: Connection, run: StoredRun, action: RunAction) -> str:
    """Say what stands against it; empty if nothing does."""
    if action == "retry":
        return _against_retry(db, run)
    if run.state.ended:
        return f"it is {run.state} already"
    return "it is being stopped already" if run.stop_requested else ""


def _against_retry(db: Connection, run: StoredRun) -> str:
    against = ""
    if run.sweep_id is None:
        against = "it belongs to no sweep, which could hand it out again"
    elif run.state not in _BROKEN:
        against = f"it is {run.state}: only a run that failed or was stopped is tried again"
    elif run.stop:
        against = "early termination stopped it, and would again"
    elif run.beyond:
        against = "its sweep's file, which was edited, does not ask for it any more"
    elif not hands_out_again(db, sweeps.get(db, run.sweep_id)):
        against = "its sweep was ended by hand: resume that first"
    return against


def act_on_sweep(db: Connection, user: User, sweep: Sweep, name: str, reason: str, *, now: float) -> Sweep:
    """Do what a person asks of a sweep, and note who and why.

    Raises:
        NotFoundError: Nothing is called so.
        ForbiddenError: It is another user's.
        RequestError: It makes no sense in its state.
    """
    action = next((known for known in SWEEP_ACTIONS if known == name), None)
    if action is None:
        raise NotFoundError(f"a sweep has no {name[:100]!r}: {', '.join(SWEEP_ACTIONS)}")
    rights.check_sweep(user, sweep)
    if against := _against_sweep(db, sweep, action):
        raise RequestError(f"cannot {action} sweep {sweep.name}: {against}", 409)
    return set_state(db, user, sweep, _STATES[action], reason, now=now)


def set_state(db: Connection, user: User, sweep: Sweep, state: SweepState, reason: str = "", *, now: float) -> Sweep:
    """Change a sweep's state because a person asks for it, and note it.

    Raises:
        RequestError: The sweep does not go back from the state in which it is.
    """
    said = cleaned(reason)
    sweep_transitions.set_state(db, sweep, state, now=now, by=_by(user, said))
    names = [name for name, asked in _STATES.items() if asked is state]
    if names and sweep.state is not state:
        actions.record(db, Action(names[0], user.name, said, now), sweep=sweep)
    return sweeps.get(db, sweep.id)


def act_on_run(db: Connection, user: User, run: StoredRun, name: str, reason: str, *, now: float) -> StoredRun:
    """Do what a person asks of a run, and note who and why.

    Raises:
        NotFoundError: Nothing is called so.
        ForbiddenError: It is another user's.
        RequestError: It makes no sense in its state.
    """
    action = next((known for known in RUN_ACTIONS if known == name), None)
    if action is None:
        raise NotFoundError(f"a run has no {name[:100]!r}: {', '.join(RUN_ACTIONS)}")
    rights.check_run(user, run)
    if against := _against_run(db, run, action):
        raise RequestError(f"cannot {action} run {run.name}: {against}", 409)
    if action == "stop":
        stop(db, user, run, reason, now=now)
    else:
        retry(db, user, run, reason, now=now)
    return runs.get(db, run.id)


def stop(db: Connection, user: User, run: StoredRun, reason: str = "", *, now: float) -> None:
    """Stop a run because a person asks for it; one that has ended stays as it is."""
    said = cleaned(reason)
    stop_requests.ask(db, run, f"stopped{_by(user, said)}", now=now)
    if not run.state.ended and not run.stop_requested:
        actions.record(db, Action("stop", user.name, said, now), run=run)
    if run.sweep_id is not None:
        sweep_transitions.finish_if_done(db, run.sweep_id, now=now)


def retry(db: Connection, user: User, run: StoredRun, reason: str = "", *, now: float) -> None:
    """Have a run tried again because a person asks for it, and note it.

    Raises:
        RequestError: It cannot be handed out again.
    """
    run_endings.requeue(db, run, now=now)
    actions.record(db, Action("retry", user.name, cleaned(reason), now), run=run)


def cleaned(reason: str) -> str:
    """Make a reason one line of what can be read."""
    return " ".join(plain(reason[: 4 * MAX_REASON]).split())[:MAX_REASON]


def _by(user: User, reason: str) -> str:
    return f" by {user.name}{f': {reason}' if reason else ''}"
