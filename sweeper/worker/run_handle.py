"""The process of one run, as its worker sees it: made ahead, let in, followed to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from pathlib import Path
from typing import Any

from sweeper.worker.main_thread import Raised, Returned, Started, Stopping
from sweeper.worker.run_process import ENDING, Idle, Message, Ready, SetupFailed, run_process
from sweeper.worker.spec import WorkerSpec


class RunHandle:
    """A process that prepares itself, waits to be let in, and then hosts one run.

    Args:
        context: How it is started.
        spec: The worker's orders.
        log: Where it writes what the run prints.

    Attributes:
        messages: What it has reported.
        let_in_at: When it was let in, by the monotonic clock; None before.
        started_at: When it called the trainer, by the monotonic clock; None before.
        started_at_s: The same in seconds since 1970.
        prepared: Whether it has loaded the trainer.
        holder: Its name for the server.
    """

    def __init__(self, context: ForkContext | SpawnContext, spec: WorkerSpec, log: Path) -> None:
        self.log = log
        self.messages: list[Message] = []
        self.let_in_at: float | None = None
        self.started_at: float | None = None
        self.started_at_s: float | None = None
        self.prepared = False
        self.holder = uuid.uuid4().hex
        self._here, there = context.Pipe()
        self._process = context.Process(
            target=run_process, args=(spec, str(log), self.holder, there), name=spec.slot.name
        )
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        there.close()  # or the end of the process would not close the pipe
        # the pipe alone would not tell of a process that was killed while a child of its own holds the other end
        self._sources: list[Connection | int] = [self._here, self._process.sentinel]

    def let_in(self) -> None:
        """Let it take a run: the time from here to its end is the run's `wall_s`."""
        self.let_in_at = time.monotonic()
        with contextlib.suppress(OSError):  # if it is dead, its end is about to be read
            self._here.send(self.holder)

    def next_message(self, timeout_s: float) -> Message | None:
        """Wait for a report; None if there is none, or no more."""
        if self._here in wait(self._sources, timeout=timeout_s):
            try:
                self.messages.append(self._here.recv())
            except (EOFError, OSError):  # a closed pipe stays ready for ever
                self._sources.remove(self._here)
            else:
                self.prepared = self.prepared or isinstance(self.messages[-1], Ready)
                if isinstance(self.messages[-1], Started):
                    self.started_at, self.started_at_s = time.monotonic(), time.time()
                return self.messages[-1]
        return None

    @property
    def ended(self) -> bool:
        """Whether the process is gone and has nothing more to say, or is done with its run and waits for another."""
        # what it said last may still lie in the pipe when it is gone: its result, of all things
        if self.messages and isinstance(self.messages[-1], Idle):
            return True
        return not self._process.is_alive() and (self._here not in self._sources or not self._here.poll())

    def renew(self) -> bool:
        """Forget the last run; tell whether the process can host another one."""
        can = bool(self.messages) and isinstance(self.messages[-1], Idle) and self._process.is_alive()
        self.messages, self.started_at, self.started_at_s = [], None, None
        self.holder = uuid.uuid4().hex  # the same run, tried again, has another holder
        return can

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, number)

    def dismiss(self) -> None:
        """End it, let in or not; it has no run to save."""
        self.send(signal.SIGKILL)
        self._process.join()

    @property
    def pid(self) -> int:
        """Its process id; 0 if it could not be started."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int:
        """What it ended with; negative for a signal."""
        return self._process.exitcode or 0

    @property
    def run_id(self) -> str:
        """The run it took; empty before."""
        return next((message.run_id for message in self.messages if isinstance(message, Started)), "")

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the run it took; none before."""
        return next((message.params for message in self.messages if isinstance(message, Started)), {})

    @property
    def how_it_ended(self) -> str:
        """Its exit code or the signal that ended it, in words."""
        code = self.exit_code
        return f"it exited with code {code}" if code >= 0 else f"it was ended by {signal.Signals(-code).name}"

    @property
    def setup_error(self) -> str:
        """Why it could not prepare itself; empty if it could."""
        return next((message.error for message in self.messages if isinstance(message, SetupFailed)), "")

    @property
    def stopping(self) -> bool:
        """Whether its agent has heard that the server wants the run stopped."""
        return any(isinstance(message, Stopping) for message in self.messages)

    @property
    def result(self) -> Returned | Raised | None:
        """How the trainer ended, by its last word: what closes its run may fail behind it; None if it did not."""
        return next((message for message in self.messages[::-1] if isinstance(message, Returned | Raised)), None)
