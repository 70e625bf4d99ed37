"""Runs handed out again: those that lost their process, and those that a person wants tried once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sweeper.backend import sdk
from sweeper.errors import BackendError, LaunchError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import Facts, Kind, Policy
from sweeper.ref import SweepRef
from sweeper.results.status import RunStatus
from sweeper.run import RunState


def recover_slot(ref: SweepRef, launch: LaunchDir, slot: str, *, retries: int) -> list[Attempt]:
    """Hand out again what a slot was at when its worker died, and give back its tickets.

    Returns:
        What was noted about the runs.
    """
    attempts = launch.attempts()
    lost = [attempt for attempt in attempts.values() if attempt.slot == slot and attempt.outcome is None]
    noted = [_hand_out(ref, launch, attempt, "its worker died", retries=retries) for attempt in lost]
    spent = {attempt.ticket for attempt in launch.attempts().values() if attempt.outcome and not attempt.waits}
    for ticket in launch.tickets_of(slot):
        if ticket not in spent:
            launch.return_ticket(ticket)
    return noted


def recover_sweep(ref: SweepRef, directory: SweepDir, runs: Sequence[RunStatus], *, retries: int) -> list[Attempt]:
    """Hand out again what launches of this machine left behind when they were killed.

    Args:
        ref: The sweep.
        directory: Where its launches noted what they did.
        runs: Its runs, as the server knows them.
        retries: How often a run may be lost or fail for no fault of its own.

    Returns:
        What was noted about the runs.
    """
    states = {run.id: run.state for run in runs}
    lost = {run.id for run in runs if run.losses and not run.state.ended}
    noted: list[Attempt] = []
    for launch in directory.launches():
        if launch.launcher() is not None:
            continue
        for attempt in launch.attempts().values():
            if attempt.outcome is None and directory.attempts()[attempt.run_id] == attempt:
                state = states.get(attempt.run_id, RunState.FAILED)
                if state.ended and state is not RunState.CRASHED:
                    outcome = AttemptOutcome.FINISHED if state is RunState.FINISHED else AttemptOutcome.FAILED
                    launch.append(replace(attempt, outcome=outcome))
                elif attempt.run_id in lost:  # the server has handed it out, perhaps to another machine
                    launch.append(
                        replace(attempt, outcome=AttemptOutcome.DIED, reason="its launch was killed", kind=Kind.LOST)
                    )
                else:
                    noted.append(_hand_out(ref, launch, attempt, "its launch was killed", retries=retries))
    return noted


def _hand_out(ref: SweepRef, launch: LaunchDir, attempt: Attempt, cause: str, *, retries: int) -> Attempt:
    """Hand a lost run out again, or give it up; note which."""
    history = SweepDir.of_launch(launch.path).history()
    earlier = [past.kind for past in history if past.run_id == attempt.run_id and past.kind]
    facts = Facts(earlier=tuple(kind for kind in earlier if kind is not Kind.PREEMPTED), retries=retries)
    policy = Policy.RETRY_ELSEWHERE if len(facts.earlier) < facts.retries else Policy.FAIL
    try:
        sdk.set_run_state(ref.run(attempt.run_id), "pending" if policy.retries else "failed")
    except BackendError as error:
        policy, cause = Policy.FAIL, f"{cause}; not retried: {error.message}"
    noted = replace(attempt, outcome=AttemptOutcome.DIED, reason=cause, kind=Kind.LOST, policy=policy)
    launch.append(noted)
    return noted


def retry_runs(ref: SweepRef, runs: Sequence[RunStatus], chosen: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Hand runs out again because a person asks for it.

    Args:
        ref: The sweep.
        runs: Its runs.
        chosen: Ids of runs; all that failed or crashed if empty.

    Returns:
        The runs that wait for a slot now, and why the others do not.

    Raises:
        LaunchError: A chosen run is none of the sweep's.
    """
    known = {run.id: run for run in runs}
    if unknown := [run for run in chosen if run not in known]:
        raise LaunchError(f"no run {', '.join(unknown)} in sweep {ref}", "`sweeper status` lists them")
    failed = [run.id for run in runs if run.state in {RunState.FAILED, RunState.CRASHED}]
    waiting: list[str] = []
    refused: dict[str, str] = {}
    for run in chosen or failed:
        try:
            sdk.set_run_state(ref.run(run), "pending")
        except BackendError as error:
            refused[run] = error.message
        else:
            waiting.append(run)
    return waiting, refused
