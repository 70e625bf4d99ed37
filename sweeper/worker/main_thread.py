"""The trainer in the main thread of a run's process, the SDK's agent in another.

The agent would call the trainer in a thread of its own, where Python gives no signal to it: SIGTERM could not ask it
to save a checkpoint, and a stop would wait for the end of a `time.sleep`. Here the agent's call waits until the main
thread has run the trainer, and what the agent does to its own thread, raising a bare Exception to stop the run
(wandb 0.31), is passed on as a signal, which also interrupts a system call.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

Trainer = Callable[[], object]

POLL_S = 0.05
"""How often the agent's thread looks for signals; the SDK's way to stop a run reaches a thread between two waits."""


class RunEnded(BaseException):
    """Raised in the trainer when its run must end; no `except Exception` of the trainer's holds it up."""


@dataclass(frozen=True, slots=True)
class Started:
    """The agent has a run and the trainer is about to be called."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """The server wants the run stopped, and the trainer has been told."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The trainer returned."""

    trainer_s: float


@dataclass(frozen=True, slots=True)
class Raised:
    """The trainer did not return.

    Attributes:
        trainer_s: How long it ran.
        error: What it raised, in one line; empty for an exit or an end that we asked for.
        exit_code: What it gave to sys.exit; 128 and the number of the signal that ended it.
    """

    trainer_s: float
    error: str
    exit_code: int = 1


# what a run's process tells its worker of the trainer
Report = Started | Stopping | Returned | Raised


class MainThread:
    """Lets the agent call a trainer that runs in the main thread.

    Args:
        trainer: The function.
        tell: Takes reports.
        mark_preempting: Tells the server that the run will go on elsewhere.
    """

    def __init__(
        self, trainer: Trainer, *, tell: Callable[[Report], None], mark_preempting: Callable[[], None]
    ) -> None:
        self._trainer = trainer
        self._tell = tell
        self._mark_preempting = mark_preempting
        self._pid = os.getpid()
        self._turn = threading.Event()
        self._done = threading.Event()
        self._called = False
        self._training = False
        self._ending: signal.Signals | None = None
        self._error: BaseException | None = None

    def run(self, agent: Callable[[Trainer], None], enter: Callable[[], str]) -> None:
        """Run the agent until it returns, and the trainer when it is called.

        Args:
            agent: Takes a run from the server and calls the function it is given on it.
            enter: Called with the run at hand, before the trainer; gives the run's id.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        signal.signal(signal.SIGUSR2, self._interrupt)

        def act() -> None:
            try:
                agent(lambda: self._call(enter))
            finally:
                self._turn.set()

        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        self._turn.wait()
        if self._called:
            self._train()
            self._done.set()
        thread.join()  # the agent has to send the rest

    def _note(self, number: int, _frame: FrameType | None) -> None:
        """Remember a signal for the agent's thread; the SDK's locks may be held by what it interrupts."""
        if os.getpid() != self._pid:  # in a process that the trainer forked: it dies of a signal, as it would anywhere
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        if not self._called:
            raise SystemExit(128 + number)  # no run is lost
        self._ending = self._ending or signal.Signals(number)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._training:
            raise RunEnded

    def _call(self, enter: Callable[[], str]) -> None:
        """Wait, in the agent's thread, for the trainer's end; raise what it raised."""
        self._called = True
        self._tell(Started(enter()))
        self._turn.set()
        try:
            while not self._done.wait(POLL_S):  # a wait without end would never see the SDK's exception
                if self._ending is not None:
                    self._end()
        except Exception:  # the SDK's way to stop a run
            self._tell(Stopping())
            signal.pthread_kill(_main_thread(), signal.SIGUSR2)
            self._done.wait()
            raise
        if self._error is not None:
            # what is no Exception would end the agent's thread without a word to the server
            raise self._error if isinstance(self._error, Exception) else RuntimeError(_one_line(self._error))

    def _end(self) -> None:
        """End the trainer: after a SIGTERM its run goes on elsewhere, after a SIGINT it has failed."""
        if self._ending is signal.SIGTERM:
            self._mark_preempting()
        signal.pthread_kill(_main_thread(), signal.SIGUSR2)
        self._done.wait()

    def _train(self) -> None:
        began = time.monotonic()
        try:
            self._call_trainer()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
            said = "" if isinstance(error.code, int | None) else _one_line(error)  # sys.exit("why") is code 1 and why
            self._error = error if code else None
            self._tell(Raised(time.monotonic() - began, said, code) if code else Returned(time.monotonic() - began))
        except BaseException as error:  # noqa: BLE001 whatever ends a trainer ends its run, and nothing else
            self._error = error
            said, code = ("", 128 + (self._ending or 0)) if isinstance(error, RunEnded) else (_one_line(error), 1)
            self._tell(Raised(time.monotonic() - began, said, code))
        else:
            self._tell(Returned(time.monotonic() - began))

    def _call_trainer(self) -> None:
        """Let signals end the trainer while it runs, and nothing of ours before and after."""
        try:
            self._training = True
            self._trainer()
        finally:
            self._training = False


def call_in_thread(trainer: Trainer, *, enter: Callable[[], str], tell: Callable[[Report], None]) -> None:
    """Call a trainer where the agent calls us, in its thread, and report how that goes.

    Args:
        trainer: The function.
        enter: Called with the run at hand; gives its id.
        tell: Takes reports.
    """
    tell(Started(enter()))
    began = time.monotonic()
    try:
        trainer()
    except BaseException as error:
        stopped = type(error) is Exception and not error.args  # the SDK's way to stop a run
        if stopped:
            tell(Stopping())
        tell(Raised(time.monotonic() - began, "" if stopped else _one_line(error)))
        raise
    tell(Returned(time.monotonic() - began))


def _main_thread() -> int:
    return threading.main_thread().ident or 0


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:600] if text else type(error).__name__
