"""Runs handed out again: those that lost their process, and those that a person wants tried once more."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from sweeper.backend import run_orders, unsent_rows
from sweeper.backend.server_presence import absence
from sweeper.errors import BackendError, LaunchError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import Facts, Failure, Kind, classify
from sweeper.ref import RunRef, SweepRef
from sweeper.results.status import RunStatus
from sweeper.run import RunState
from sweeper.settings import Settings
from sweeper.worker.patience import SURE

KILLED = "its launch was killed"


def recover_slot(ref: SweepRef, launch: LaunchDir, slot: str, *, retries: int) -> list[Attempt]:
    """Hand out again what a slot was at when its worker died, and give back its tickets.

    A ticket is spent by a run that ended: one that died between taking a ticket and getting a run has used up nothing.

    Returns:
        What was noted about the runs.

    Raises:
        BackendError: The server is away; what was not noted is still to be handed out.
    """
    attempts = launch.attempts()
    lost = [attempt for attempt in attempts.values() if attempt.slot == slot and attempt.is_open]
    directory, noted = SweepDir.of_launch(launch), list[Attempt]()
    for attempt in lost:
        # asked anew for each: while the one before was handed out, the server may have given this one to another slot
        if directory.attempts()[attempt.run_id] == attempt:
            noted.append(_hand_out(ref, launch, attempt, "its worker died", retries=retries))
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

    Raises:
        BackendError: The server is away.
    """
    states = {run.id: run.state for run in runs}
    lost = {run.id for run in runs if run.losses and not run.state.ended}
    noted: list[Attempt] = []
    for launch, attempt in _left_behind(directory):
        state = states.get(attempt.run_id, RunState.FAILED)
        if state.ended and state is not RunState.CRASHED:  # the worker was killed after the run's end, before its note
            finished = state is RunState.FINISHED
            outcome = AttemptOutcome.FINISHED if finished else AttemptOutcome.FAILED
            launch.append(replace(attempt, outcome=outcome, kind=None, policy=None, untold=False))
        elif attempt.run_id in lost:  # the server has handed it out, perhaps to another machine
            taken = replace(attempt, outcome=AttemptOutcome.DIED, reason=KILLED, kind=Kind.LOST)
            launch.append(replace(taken, policy=None, untold=False))
        else:
            noted.append(_hand_out(ref, launch, attempt, KILLED, retries=retries))
    return noted


def _left_behind(directory: SweepDir) -> Iterator[tuple[LaunchDir, Attempt]]:
    """Find attempts whose end nobody wrote, or told the server, in launches that nobody runs any more."""
    for launch in directory.launches():
        if launch.launcher() is None:
            for attempt in launch.attempts().values():
                # a later launch may have taken the run up already
                if attempt.is_open and directory.attempts()[attempt.run_id] == attempt:
                    yield launch, attempt


def _hand_out(ref: SweepRef, launch: LaunchDir, attempt: Attempt, cause: str, *, retries: int) -> Attempt:
    """Hand a lost run out again, or give it up; note which. Of one that was interrupted the server is only told.

    Raises:
        BackendError: The server is away; nothing was noted.
    """
    directory, run = SweepDir.of_launch(launch), ref.run(attempt.run_id)
    earlier = directory.earlier_failures(attempt.run_id)
    failure, outcome = classify(Facts(lost=cause, earlier=earlier, retries=retries)), AttemptOutcome.DIED
    if attempt.outcome and attempt.kind and attempt.policy:
        failure, outcome = Failure(attempt.kind, attempt.reason, attempt.policy), attempt.outcome
    settings = Settings.from_env()
    folder = Path(settings.environ.get("WANDB_DIR") or directory.wandb)
    _check_present()  # what the dead process has left is sent before the run is handed out, or not at all
    unsent_rows.deliver(run, folder, holder=attempt.holder, settings=settings)
    refusal = _refusal(run, "pending" if failure.policy.retries else "failed")
    if refusal and failure.kind is not Kind.PREEMPTED:  # which W&B hands out by itself
        failure = failure.not_retried(refusal)
    noted = replace(attempt.ended(outcome, failure), untold=False)
    launch.append(noted)
    return noted


def _refusal(run: RunRef, state: Literal["pending", "failed"]) -> str:
    """Have the server hand out or end a run; say why it does not, by its own word and not by its absence.

    Raises:
        BackendError: It is away.
    """
    refusal = ""
    for _ in range(SURE):
        try:
            run_orders.set_state(run, state)
        except BackendError as error:
            _check_present()
            refusal = error.message
        else:
            return ""
    return refusal


def _check_present() -> None:
    """Fail while the server is away.

    Raises:
        BackendError: It is.
    """
    if why := absence(os.environ):  # noqa: TID251 what the SDK asks
        raise BackendError(why, "the next launch takes its run up")


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
    # not those that were stopped: early termination would stop them again
    failed = [run.id for run in runs if run.state in {RunState.FAILED, RunState.CRASHED}]
    waiting: list[str] = []
    refused: dict[str, str] = {}
    for run in chosen or failed:
        state = known[run].state
        if state in {RunState.RUNNING, RunState.PREEMPTING}:  # its process would lose what it still does
            refused[run] = f"it is {state.value}; wait, or stop it first: sweeper stop {ref.quoted} --run {run}"
            continue
        try:
            run_orders.set_state(ref.run(run), "pending")
        except BackendError as error:
            refused[run] = error.message
        else:
            waiting.append(run)
    return waiting, refused
