"""A worker: `python -m sweeper.worker ORDERS.json`. It owns one slot and runs one fresh process per run in it.

The processes are forked from a forkserver that has imported torch, wandb and the trainer once: 0.05 s instead of
5-6 s a run, and a run that dies takes nothing with it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import FrameType

from sweeper.launch.base import LaunchDir, WorkerSpec
from sweeper.record import Outcome, RunRecord
from sweeper.run_process import Message, Raised, Returned, SetupFailed, Started, die_with_parent, run_process

FLAPPING_FAILURES = 3
FLAPPING_WINDOW_S = 60.0
"""W&B's own rule, which a process per run would otherwise lose: three failures in an agent's first minute end it."""

POLL_S = 0.2


class Worker:
    """One slot's loop: take a ticket, run a process, write down how it ended.

    Args:
        spec: The orders.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self.directory = LaunchDir(Path(spec.directory))
        self.signals: list[int] = []
        self.failures: list[float] = []
        self.started = time.monotonic()
        self.context = multiprocessing.get_context("forkserver")
        # wandb.apis.public: the agent imports it in every process, 0.45 s (wandb 0.31)
        # torch._dynamo: the first optimizer of a process imports it, 1.2 s (torch 2.15); a name of torch's own, so
        # where another version has none, nothing is lost but that time
        modules = ["sweeper.preload", "torch", "torch._dynamo", "wandb", "wandb.apis.public"]
        self.context.set_forkserver_preload([*modules, spec.trainer.partition(":")[0]])

    def run(self) -> int:
        """Work until tickets, runs or patience are used up.

        Returns:
            0 when there was nothing more to do, 1 when the worker gave up.
        """
        self._preload()
        while not self.signals:
            ticket = self.directory.take_ticket(self.spec.count)
            if ticket is None:
                return 0
            got_run, error = self._run_ticket(ticket)
            if not got_run:
                self.directory.return_ticket(ticket)
            if error:
                print(error, file=sys.stderr)  # noqa: T201 the worker's own log
                return 1
            if not got_run:
                return 0  # the server has no more runs
            if self._flapping():
                print(f"{FLAPPING_FAILURES} runs failed in the first minute", file=sys.stderr)  # noqa: T201
                return 1
        return 0

    def _preload(self) -> None:
        """Wait until the forkserver has imported everything: that is no run's time, and needs no ticket."""
        process = self.context.Process(target=die_with_parent)
        process.start()
        process.join()
        self.started = time.monotonic()

    def _flapping(self) -> bool:
        recent = [at for at in self.failures if at - self.started < FLAPPING_WINDOW_S]
        return len(recent) >= FLAPPING_FAILURES

    def _run_ticket(self, ticket: int) -> tuple[bool, str]:
        """Run one process.

        Returns:
            Whether it got a run, and why the worker must give up (empty if it need not).
        """
        began = time.monotonic()
        receiver, sender = self.context.Pipe(duplex=False)
        process = self.context.Process(target=run_process, args=(self.spec, ticket, sender), name=self.spec.slot.name)
        process.start()
        sender.close()
        log = str(self.directory.run_log(ticket))
        messages = self._follow(process, receiver, log)
        record = _verdict(messages, process.exitcode, interrupted=bool(self.signals))
        if record is None:
            failed = next((message.error for message in messages if isinstance(message, SetupFailed)), "")
            died = f"the run's process ended with code {process.exitcode} before it got a run; see {log}"
            return False, failed or (died if process.exitcode and not self.signals else "")
        wall_s = round(time.monotonic() - began, 3)
        self.directory.append(replace(record, slot=self.spec.slot.name, wall_s=wall_s, log=log))
        if record.outcome in {Outcome.FAILED, Outcome.DIED}:
            self.failures.append(time.monotonic())
        return True, ""

    def _follow(self, process: ForkServerProcess, receiver: Connection, log: str) -> list[Message]:
        """Collect a process's messages until it ends; pass on a stop, first gently, then by force."""
        messages: list[Message] = []
        sources: list[Connection | int] = [receiver, process.sentinel]
        deadline = None
        while True:
            ready = wait(sources, timeout=POLL_S)
            if receiver in ready:
                try:
                    messages.append(receiver.recv())
                except EOFError:  # a closed pipe stays ready for ever
                    sources.remove(receiver)
                else:
                    self._note_start(messages[-1], log)
            elif process.sentinel in ready:
                break
            if self.signals and deadline is None:
                deadline = time.monotonic() + self.spec.grace_s
                _signal(process, signal.SIGINT)
            elif deadline is not None and time.monotonic() > deadline:
                _signal(process, signal.SIGKILL)
        process.join()
        return messages

    def _note_start(self, message: Message, log: str) -> None:
        if isinstance(message, Started):
            self.directory.append(RunRecord(run_id=message.run_id, slot=self.spec.slot.name, log=log))


def _signal(process: ForkServerProcess, number: signal.Signals) -> None:
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, number)


def _verdict(messages: Sequence[Message], exitcode: int | None, *, interrupted: bool) -> RunRecord | None:
    """Say how a run ended; None if the process never got one."""
    started = next((message for message in messages if isinstance(message, Started)), None)
    if started is None:
        return None
    last = messages[-1]
    record = RunRecord(run_id=started.run_id, slot="", outcome=Outcome.FINISHED)
    if isinstance(last, Returned | Raised):
        record = replace(record, trainer_s=round(last.trainer_s, 3))
    if interrupted and not isinstance(last, Returned):  # one that was just done is done
        return replace(record, outcome=Outcome.INTERRUPTED, reason="interrupted by a stop of the launch")
    if isinstance(last, Raised):
        outcome = Outcome.STOPPED if last.stopped else Outcome.FAILED
        return replace(record, outcome=outcome, reason="" if last.stopped else last.error)
    if exitcode:
        return replace(record, outcome=Outcome.DIED, reason=_cause_of_death(exitcode))
    return record


def _cause_of_death(exitcode: int) -> str:
    if exitcode > 0:
        return f"the process exited with code {exitcode}"
    name = signal.Signals(-exitcode).name
    guess = {"SIGKILL": ", perhaps for lack of memory", "SIGSEGV": ", a crash in native code"}.get(name, "")
    return f"the process was ended by {name}{guess}"


def main(argv: Sequence[str]) -> int:
    """Read the orders and work."""
    die_with_parent()
    worker = Worker(WorkerSpec.load(Path(argv[0])))

    def note(number: int, _frame: FrameType | None) -> None:
        worker.signals.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return worker.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
