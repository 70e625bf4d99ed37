"""A worker: `python -m sweeper.worker ORDERS.json`. It owns one slot and runs one fresh process per run in it.

The processes are forked from a forkserver that has imported torch, wandb and the trainer once: 0.05 s instead of
5-6 s a run, and a run that dies takes nothing with it. The next one is prepared while the current one trains.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from types import FrameType
from typing import Literal

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import EndedBy, Facts, Failure, Kind, Policy, broken, classify
from sweeper.processes import Family, end_with_parent
from sweeper.ref import SweepRef
from sweeper.worker.main_thread import Raised, Started
from sweeper.worker.run_handle import RunHandle
from sweeper.worker.run_process import probe, set_run_state
from sweeper.worker.spec import WorkerSpec

POLL_S = 0.2
STOP_GRACE_S = 10.0
"""How long a run may take to end when the server has stopped it: what it still does is of no use to the sweep."""

ELSEWHERE_S = 10.0
"""How long a slot leaves a run that failed on it to the others."""

LOG_TAIL = 16_384
LINES, LINE = 10, 300


@dataclass
class StopGrace:
    """Until when a process may go on.

    Attributes:
        deadline: By the monotonic clock; None for as long as it likes.
        ended_by: Why we ended it.
    """

    deadline: float | None = None
    ended_by: EndedBy | None = None


class Worker:
    """One slot's loop: take a ticket, run a process, write down how it ended.

    Args:
        spec: The orders.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self.directory = LaunchDir(Path(spec.directory))
        self.ref = SweepRef.parse(spec.sweep)
        self.signals: list[int] = []
        self.strikes = 0
        self.upcoming: RunHandle | None = None
        self.family = Family()
        self.context: ForkServerContext | SpawnContext = multiprocessing.get_context("forkserver")
        # all that a run's process would import by itself, most of a second: the agent's parts of the SDK (wandb 0.31)
        sdk = ["wandb", "wandb.apis.public", "wandb.agents.pyagent", "wandb.sdk.launch.inputs.internal", "requests"]
        modules = ["sweeper.worker.preload", *sdk, "sweeper.worker.run_process", "sweeper.backend.sdk"]
        # torch._dynamo: the first optimizer of a process imports it, 1.2 s (torch 2.15)
        trainer = [] if spec.script else ["torch", "torch._dynamo", spec.trainer.partition(":")[0]]
        multiprocessing.set_forkserver_preload([*modules, *trainer])

    def run(self) -> int:
        """Work until tickets, runs or patience are used up.

        Returns:
            0 when there was nothing more to do, 1 when the worker gave up.
        """
        self._preload()
        try:
            error = self._work()
        finally:
            if self.upcoming:
                self.upcoming.dismiss()
            self.family.end_strays()
        if error:
            print(error, file=sys.stderr)  # noqa: T201 the worker's own log
        return int(bool(error))

    def _preload(self) -> None:
        """Wait until the forkserver has imported everything: that is no run's time, and needs no ticket."""
        here, there = self.context.Pipe(duplex=False)
        gpu = bool(self.spec.slot.device) and not self.spec.script
        process = self.context.Process(target=probe, args=(gpu, there))
        process.start()
        there.close()
        try:
            forkable = here.recv()
        except EOFError:  # it died: a run's process will tell why
            forkable = True
        process.join()
        if not forkable:
            words = "importing it starts CUDA, so every run starts a new Python: seconds instead of milliseconds"
            print(f"{self.spec.trainer}: {words}", file=sys.stderr)  # noqa: T201 the worker's own log
            self.context = multiprocessing.get_context("spawn")
        self.family.keep()

    def _work(self) -> str:
        """Run processes as long as there are tickets; say why no longer, if that is an error."""
        while not self.signals and not self.directory.ended():
            ticket = self.directory.take_ticket(self.spec.count, self.spec.slot.name)
            if ticket is None:
                break
            handle, self.upcoming = self.upcoming or self._prepare(), None
            grace = self._follow(handle, ticket)
            self.family.end_strays()
            if not handle.run_id:
                self.directory.return_ticket(ticket)
                return self._why_no_run(handle)
            run_id, failure = handle.run_id, self._conclude(handle, ticket, grace)
            if not self.spec.rules.isolated:
                self.upcoming = handle if handle.renew() else None
            if failure and failure.policy is Policy.QUARANTINE:
                return f"{self.spec.slot.name} is taken out of the launch: {failure.cause}"
            if failure and failure.policy is Policy.RETRY_ELSEWHERE:
                self._leave_to_others(run_id)
        return ""

    def _prepare(self) -> RunHandle:
        handle = RunHandle(self.context, self.spec, self.directory.new_run_log(self.spec.slot.name))
        self.family.keep([handle.pid])
        return handle

    def _why_no_run(self, handle: RunHandle) -> str:
        """Tell a sweep without more runs, which is no error, from a process that could not take one."""
        if handle.setup_error:
            self.directory.end(handle.setup_error)
            return f"{handle.setup_error}; see {handle.log}"
        if self.signals or not handle.exit_code:
            return ""
        return f"the run's process ended with code {handle.exit_code} before it got a run; see {handle.log}"

    def _follow(self, handle: RunHandle, ticket: int) -> StopGrace:
        """Stay with a process until it ends; end it, gently and then by force, when it must."""
        handle.let_in()
        if self.spec.rules.isolated and self.directory.tickets_left(self.spec.count):
            self.upcoming = self._prepare()
        grace = StopGrace()
        while not handle.ended:
            message = handle.next_message(POLL_S)
            if isinstance(message, Started):
                self._note_start(handle, ticket)
            self._press(handle, grace)
        return grace

    def _note_start(self, handle: RunHandle, ticket: int) -> None:
        attempt = len(SweepDir.of_launch(self.directory).earlier_failures(handle.run_id)) + 1
        slot, log = self.spec.slot.name, str(handle.log)
        self.directory.append(Attempt(run_id=handle.run_id, slot=slot, ticket=ticket, log=log, attempt=attempt))

    def _press(self, handle: RunHandle, grace: StopGrace) -> None:
        """Ask a process to end if it must, and kill it when its time is up."""
        now = time.monotonic()
        if grace.deadline is not None:
            if now > grace.deadline:
                handle.send(signal.SIGKILL)
        elif self.signals:
            grace.deadline, grace.ended_by = now + self.spec.rules.grace_s, EndedBy.PREEMPTION
            handle.send(signal.SIGTERM)
        elif handle.result is not None:
            grace.deadline = now + self.spec.rules.grace_s  # the agent has to send the rest; a hanging exit is no run
        elif handle.stopping or (handle.run_id and self.directory.stop_ordered(handle.run_id)):
            grace.deadline = now + min(self.spec.rules.grace_s, STOP_GRACE_S)
        elif self.spec.rules.timeout_s and handle.started_at and now > handle.started_at + self.spec.rules.timeout_s:
            grace.deadline, grace.ended_by = now + self.spec.rules.grace_s, EndedBy.TIMEOUT
            handle.send(signal.SIGINT)

    def _conclude(self, handle: RunHandle, ticket: int, grace: StopGrace) -> Failure | None:
        """Write down how a run ended, and do what follows from it."""
        stopped = handle.stopping or self.directory.stop_ordered(handle.run_id)
        self.directory.forget_stop(handle.run_id)
        facts = self._facts(handle, grace)
        attempt, failure = verdict(handle, facts, stopped=stopped)
        attempt = replace(attempt, attempt=len(facts.earlier) + 1, log_tail=last_lines(handle.log) if failure else ())
        self.strikes = self.strikes + 1 if failure and failure.kind is Kind.BAD_GPU else 0
        if failure and failure.policy.retries:
            refusal = self._set_state(handle.run_id, "pending")
            if refusal and failure.kind is not Kind.PREEMPTED:  # W&B itself hands out what was marked as preempting
                failure = Failure(failure.kind, f"{failure.cause}; not retried: {refusal}", Policy.FAIL)
                attempt = replace(attempt, reason=failure.cause, policy=failure.policy)
        elif handle.exit_code or (failure and failure.kind is Kind.TIMEOUT):
            self._set_state(handle.run_id, "failed")  # or the server would wait a minute for its heartbeat
        wall_s = round(time.monotonic() - (handle.let_in_at or 0.0), 3)
        self.directory.append(
            replace(attempt, slot=self.spec.slot.name, ticket=ticket, wall_s=wall_s, log=str(handle.log))
        )
        if failure and failure.policy.retries:
            self.directory.return_ticket(ticket)
        elif failure:
            self._lose_patience(failure)
        return failure

    def _facts(self, handle: RunHandle, grace: StopGrace) -> Facts:
        result = handle.result
        return Facts(
            exit_code=result.exit_code if isinstance(result, Raised) else handle.exit_code,
            error=result.error if isinstance(result, Raised) else "",
            log=tail(handle.log) if handle.exit_code or not getattr(result, "error", "") else "",
            ended_by=grace.ended_by,
            gpu=bool(self.spec.slot.device),
            earlier=SweepDir.of_launch(self.directory).earlier_failures(handle.run_id),
            strikes=self.strikes,
            proven=any(attempt.outcome is AttemptOutcome.FINISHED for attempt in self.directory.history()),
            retries=self.spec.rules.retries,
        )

    def _set_state(self, run_id: str, state: Literal["pending", "failed"]) -> str:
        """Have the server hand a run out again or end it; say why it does not.

        In a process of its own: the SDK's threads and this one's forks do not go together.
        """
        here, there = self.context.Pipe(duplex=False)
        process = self.context.Process(target=set_run_state, args=(self.ref.run(run_id), state, there))
        process.start()
        there.close()
        try:
            refusal: str = here.recv()
        except EOFError:
            refusal = "the process that asks the server died"
        process.join()
        return refusal

    def _lose_patience(self, failure: Failure) -> None:
        """End the launch if what failed would fail again and again."""
        ended = [attempt for attempt in self.directory.history() if attempt.outcome and not attempt.waits]
        causes = [
            attempt.reason if attempt.outcome in {AttemptOutcome.FAILED, AttemptOutcome.DIED} else None
            for attempt in ended
        ]
        why = f"every run would fail: {failure.cause}" if failure.policy is Policy.STOP else ""
        if why := why or broken(causes, self.spec.rules.max_failures):
            self.directory.end(why)

    def _leave_to_others(self, run_id: str) -> None:
        """Wait until another slot has taken up a run, if there are others, but not for long."""
        deadline = time.monotonic() + (ELSEWHERE_S if len(self.directory.slots()) > 1 else 0.0)
        while time.monotonic() < deadline and not self.signals and self.directory.attempts()[run_id].waits:
            time.sleep(POLL_S)


def verdict(handle: RunHandle, facts: Facts, *, stopped: bool) -> tuple[Attempt, Failure | None]:
    """Say how a run ended, and what failed.

    Args:
        handle: Its process, which has ended.
        facts: What there is to know about a failure.
        stopped: Whether the server wanted it stopped.
    """
    result = handle.result
    attempt = Attempt(run_id=handle.run_id, slot="", outcome=AttemptOutcome.FINISHED)
    if result is not None:
        attempt = replace(attempt, trainer_s=round(result.trainer_s, 3))
    if result is not None and not isinstance(result, Raised):  # one that was just done is done
        return attempt, None
    if stopped:
        return replace(attempt, outcome=AttemptOutcome.STOPPED), None
    failure = classify(facts)
    outcome = AttemptOutcome.DIED if facts.exit_code < 0 else AttemptOutcome.FAILED
    if failure.kind is Kind.PREEMPTED:
        outcome = AttemptOutcome.INTERRUPTED
    return replace(attempt, outcome=outcome, reason=failure.cause, kind=failure.kind, policy=failure.policy), failure


def tail(log: Path) -> str:
    """Read the last lines of a log."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL))
        return file.read().decode(errors="replace")


def last_lines(log: Path) -> tuple[str, ...]:
    """Pick the last lines of a log that are the trainer's own: the SDK prints a summary behind them."""
    lines = [line.rstrip()[:LINE] for line in tail(log).splitlines() if line.strip() and not line.startswith("wandb: ")]
    return tuple(lines[-LINES:])


def main(argv: Sequence[str]) -> int:
    """Read the orders and work."""
    end_with_parent()
    worker = Worker(WorkerSpec.load(Path(argv[0])))

    def note(number: int, _frame: FrameType | None) -> None:
        worker.signals.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return worker.run()
