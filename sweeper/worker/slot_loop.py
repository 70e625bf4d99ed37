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

from sweeper.journal.attempt import Attempt, Outcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import Asked, Facts, Failure, Kind, Policy, broken, classify
from sweeper.processes import Family, end_with_parent
from sweeper.ref import SweepRef
from sweeper.worker.main_thread import Raised, Started
from sweeper.worker.run_handle import Child
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
class Patience:
    """Until when a process may go on.

    Attributes:
        deadline: By the monotonic clock; None for as long as it likes.
        asked: Why we ended it.
    """

    deadline: float | None = None
    asked: Asked | None = None


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
        self.upcoming: Child | None = None
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
            child, self.upcoming = self.upcoming or self._prepare(), None
            patience = self._follow(child, ticket)
            self.family.end_strays()
            if not child.run_id:
                self.directory.return_ticket(ticket)
                return self._why_no_run(child)
            run_id, failure = child.run_id, self._conclude(child, ticket, patience)
            if not self.spec.isolated:
                self.upcoming = child if child.renew() else None
            if failure and failure.policy is Policy.QUARANTINE:
                return f"{self.spec.slot.name} is taken out of the launch: {failure.cause}"
            if failure and failure.policy is Policy.RETRY_ELSEWHERE:
                self._leave_to_others(run_id)
        return ""

    def _prepare(self) -> Child:
        child = Child(self.context, self.spec, self.directory.new_run_log(self.spec.slot.name))
        self.family.keep([child.pid])
        return child

    def _why_no_run(self, child: Child) -> str:
        """Tell a sweep without more runs, which is no error, from a process that could not take one."""
        if child.setup_error:
            self.directory.end(child.setup_error)
            return f"{child.setup_error}; see {child.log}"
        if self.signals or not child.exit_code:
            return ""
        return f"the run's process ended with code {child.exit_code} before it got a run; see {child.log}"

    def _follow(self, child: Child, ticket: int) -> Patience:
        """Stay with a process until it ends; end it, gently and then by force, when it must."""
        child.let_in()
        if self.spec.isolated and self.directory.tickets_left(self.spec.count):
            self.upcoming = self._prepare()
        patience = Patience()
        while not child.ended:
            message = child.next_message(POLL_S)
            if isinstance(message, Started):
                self._note_start(child, ticket)
            self._press(child, patience)
        return patience

    def _note_start(self, child: Child, ticket: int) -> None:
        attempt = len(self._earlier(child.run_id)) + 1
        slot, log = self.spec.slot.name, str(child.log)
        self.directory.append(Attempt(run_id=child.run_id, slot=slot, ticket=ticket, log=log, attempt=attempt))

    def _earlier(self, run_id: str) -> tuple[Kind, ...]:
        """List what went wrong in a run's earlier attempts; a preemption is nobody's fault."""
        history = SweepDir.of_launch(self.directory.path).history()
        kinds = (record.kind for record in history if record.run_id == run_id)
        return tuple(kind for kind in kinds if kind and kind is not Kind.PREEMPTED)

    def _press(self, child: Child, patience: Patience) -> None:
        """Ask a process to end if it must, and kill it when its time is up."""
        now = time.monotonic()
        if patience.deadline is not None:
            if now > patience.deadline:
                child.send(signal.SIGKILL)
        elif self.signals:
            patience.deadline, patience.asked = now + self.spec.grace_s, Asked.PREEMPTION
            child.send(signal.SIGTERM)
        elif child.result is not None:
            patience.deadline = now + self.spec.grace_s  # the agent has to send the rest; a hanging exit is no run
        elif child.stopping or (child.run_id and self.directory.stop_ordered(child.run_id)):
            patience.deadline = now + min(self.spec.grace_s, STOP_GRACE_S)
        elif self.spec.timeout_s and child.started_at and now > child.started_at + self.spec.timeout_s:
            patience.deadline, patience.asked = now + self.spec.grace_s, Asked.TIMEOUT
            child.send(signal.SIGINT)

    def _conclude(self, child: Child, ticket: int, patience: Patience) -> Failure | None:
        """Write down how a run ended, and do what follows from it."""
        stopped = child.stopping or self.directory.stop_ordered(child.run_id)
        self.directory.forget_stop(child.run_id)
        facts = self._facts(child, patience)
        record, failure = verdict(child, facts, stopped=stopped)
        record = replace(record, attempt=len(facts.earlier) + 1, log_tail=last_lines(child.log) if failure else ())
        self.strikes = self.strikes + 1 if failure and failure.kind is Kind.BAD_GPU else 0
        if failure and failure.policy.retries:
            refusal = self._set_state(child.run_id, "pending")
            if refusal and failure.kind is not Kind.PREEMPTED:  # W&B itself hands out what was marked as preempting
                failure = Failure(failure.kind, f"{failure.cause}; not retried: {refusal}", Policy.FAIL)
                record = replace(record, reason=failure.cause, policy=failure.policy)
        elif child.exit_code or (failure and failure.kind is Kind.TIMEOUT):
            self._set_state(child.run_id, "failed")  # or the server would wait a minute for its heartbeat
        wall_s = round(time.monotonic() - (child.let_in_at or 0.0), 3)
        self.directory.append(
            replace(record, slot=self.spec.slot.name, ticket=ticket, wall_s=wall_s, log=str(child.log))
        )
        if failure and failure.policy.retries:
            self.directory.return_ticket(ticket)
        elif failure:
            self._lose_patience(failure)
        return failure

    def _facts(self, child: Child, patience: Patience) -> Facts:
        result = child.result
        return Facts(
            exit_code=result.exit_code if isinstance(result, Raised) else child.exit_code,
            error=result.error if isinstance(result, Raised) else "",
            log=tail(child.log) if child.exit_code or not getattr(result, "error", "") else "",
            asked=patience.asked,
            gpu=bool(self.spec.slot.device),
            earlier=self._earlier(child.run_id),
            strikes=self.strikes,
            proven=any(record.outcome is Outcome.FINISHED for record in self.directory.history()),
            retries=self.spec.retries,
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
        ended = [record for record in self.directory.history() if record.outcome and not record.waits]
        causes = [record.reason if record.outcome in {Outcome.FAILED, Outcome.DIED} else None for record in ended]
        why = f"every run would fail: {failure.cause}" if failure.policy is Policy.STOP else ""
        if why := why or broken(causes, self.spec.max_failures):
            self.directory.end(why)

    def _leave_to_others(self, run_id: str) -> None:
        """Wait until another slot has taken up a run, if there are others, but not for long."""
        deadline = time.monotonic() + (ELSEWHERE_S if len(self.directory.slots()) > 1 else 0.0)
        while time.monotonic() < deadline and not self.signals and self.directory.records()[run_id].waits:
            time.sleep(POLL_S)


def verdict(child: Child, facts: Facts, *, stopped: bool) -> tuple[Attempt, Failure | None]:
    """Say how a run ended, and what failed.

    Args:
        child: Its process, which has ended.
        facts: What there is to know about a failure.
        stopped: Whether the server wanted it stopped.
    """
    result = child.result
    record = Attempt(run_id=child.run_id, slot="", outcome=Outcome.FINISHED)
    if result is not None:
        record = replace(record, trainer_s=round(result.trainer_s, 3))
    if result is not None and not isinstance(result, Raised):  # one that was just done is done
        return record, None
    if stopped:
        return replace(record, outcome=Outcome.STOPPED), None
    failure = classify(facts)
    outcome = Outcome.DIED if facts.exit_code < 0 else Outcome.FAILED
    if failure.kind is Kind.PREEMPTED:
        outcome = Outcome.INTERRUPTED
    return replace(record, outcome=outcome, reason=failure.cause, kind=failure.kind, policy=failure.policy), failure


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
