"""The trainer in the main thread of a run's process, the SDK's agent in another.

The agent would call the trainer in a thread of its own, where Python gives no signal to it: SIGTERM could not ask it
to save a checkpoint, and a stop would wait for the end of a `time.sleep`. Here the agent's call waits until the main
thread has run the trainer, and what the agent does to its own thread, raising a bare Exception to stop the run
(wandb 0.31), is passed on as a signal, which also interrupts a system call.

What the trainer raises goes no further: the agent would print it with its own frames and ours.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, Protocol

from sweeper.worker.tracebacks import last_place, one_line, place_of_call, print_own
from sweeper.worker.trainer_import import Trainer

POLL_S = 0.05
"""How often the agent's thread looks for signals; the SDK's way to stop a run reaches a thread between two waits."""


class Interrupted(BaseException):
    """Raised in the trainer when its run must end; no `except Exception` of the trainer's holds it up."""

    __module__ = "builtins"  # as people read it at the end of a traceback


# An exception that a handler in Python raises has a frame of that handler in its traceback, which the SDK prints. This
# is a function in C that raises; it is called with the two arguments of a signal's handler behind its own.
_RAISE = ctypes.PYFUNCTYPE(None, ctypes.py_object, ctypes.py_object, ctypes.c_int, ctypes.py_object)(
    ("PyErr_SetObject", ctypes.pythonapi)
)
_INTERRUPT = partial(_RAISE, Interrupted, "the run was told to end")


class Entered(Protocol):
    """A run that the agent has: `RunWitness`."""

    @property
    def run_id(self) -> str:
        """Its id."""

    @property
    def params(self) -> Mapping[str, Any]:
        """Its parameters."""

    def look(self) -> None:
        """Called again and again while the trainer runs."""

    def unbegun(self) -> str:
        """Asked when the trainer has returned: why the server has heard nothing of it; empty if it has."""


@dataclass(frozen=True, slots=True)
class Started:
    """The agent has a run and the trainer is about to be called."""

    run_id: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stopping:
    """The server wants the run stopped, and the trainer has been told."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The trainer returned.

    Attributes:
        trainer_s: How long it ran.
        unbegun: Why the server knows nothing of its run; empty if it does.
    """

    trainer_s: float
    unbegun: str = ""


@dataclass(frozen=True, slots=True)
class Raised:
    """The trainer did not return.

    Attributes:
        trainer_s: How long it ran.
        error: What it raised, in one line; empty for an end that we asked for.
        exit_code: What it gave to sys.exit; 128 and the number of the signal that ended it.
        exited: Whether it called sys.exit.
    """

    trainer_s: float
    error: str
    exit_code: int = 1
    exited: bool = False


# what a run's process tells its worker of the trainer
Report = Started | Stopping | Returned | Raised


class MainThread:
    """Lets the agent call a trainer that runs in the main thread.

    Args:
        trainer: The function.
        tell: Takes reports.
        mark_preempting: Tells the server that the run will go on elsewhere.
        finish: Ends a run that the trainer has left open, with an exit code.
    """

    def __init__(
        self,
        trainer: Trainer,
        *,
        tell: Callable[[Report], None],
        mark_preempting: Callable[[], None],
        finish: Callable[[int], None],
    ) -> None:
        self._trainer = trainer
        self._tell = tell
        self._mark_preempting = mark_preempting
        self._finish = finish
        self._pid = os.getpid()
        self._turn = threading.Event()
        self._done = threading.Event()
        self._called = False
        self._entered: Entered | None = None
        self._ending: signal.Signals | None = None
        self._raised: Raised | None = None

    def run(self, agent: Callable[[Trainer], None], enter: Callable[[], Entered]) -> None:
        """Run the agent until it returns, and the trainer when it is called.

        Args:
            agent: Takes a run from the server and calls the function it is given on it.
            enter: Called with the run at hand, before the trainer.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

        def act() -> None:
            try:
                agent(lambda: self._call(enter))
            finally:
                self._turn.set()

        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        self._turn.wait()
        if self._entered is not None:
            self._train(self._entered)
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

    def _call(self, enter: Callable[[], Entered]) -> None:
        """Wait, in the agent's thread, for the trainer's end; close the run of one that did not return."""
        self._called = True
        self._entered = entered = enter()
        self._tell(Started(entered.run_id, entered.params))
        self._turn.set()
        try:
            while not self._done.wait(POLL_S):  # a wait without end would never see the SDK's exception
                entered.look()
                if self._ending is not None:
                    self._end()
        except Exception:  # noqa: BLE001 the SDK's way to stop a run
            self._tell(Stopping())
            signal.pthread_kill(_main_thread(), signal.SIGUSR2)
            self._done.wait()
        if self._raised is not None:
            self._finish(self._raised.exit_code)

    def _end(self) -> None:
        """End the trainer: after a SIGTERM its run goes on elsewhere, after a SIGINT it has failed."""
        if self._ending is signal.SIGTERM:
            self._mark_preempting()
        signal.pthread_kill(_main_thread(), signal.SIGUSR2)
        self._done.wait()

    def _train(self, entered: Entered) -> None:
        began = time.monotonic()
        end: Raised | None = None
        try:
            self._call_trainer()
        except BaseException as error:  # noqa: BLE001 whatever ends a trainer ends its run, and nothing else
            code = 128 + (self._ending or 0) if isinstance(error, Interrupted) else 1
            end = _end_of(error, time.monotonic() - began, code)
        if os.getpid() != self._pid:  # a process that the trainer forked has come here: it speaks for no run
            sys.stdout.flush()
            os._exit(end.exit_code if end else 0)
        self._raised = end
        self._tell(end or Returned(time.monotonic() - began, entered.unbegun()))

    def _call_trainer(self) -> None:
        """Let signals end the trainer while it runs, and nothing of ours before and after."""
        try:
            signal.signal(signal.SIGUSR2, _INTERRUPT)
            self._trainer()
        finally:
            signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def call_in_thread(
    trainer: Trainer,
    *,
    enter: Callable[[], Entered],
    tell: Callable[[Report], None],
    finish: Callable[[int], None],
) -> None:
    """Call a trainer where the agent calls us, in its thread, and report how that goes.

    Args:
        trainer: The function.
        enter: Called with the run at hand.
        tell: Takes reports.
        finish: Ends a run that the trainer has left open, with an exit code.
    """
    entered = enter()
    tell(Started(entered.run_id, entered.params))
    began = time.monotonic()
    end: Raised | None = None
    try:
        trainer()
    except BaseException as error:  # noqa: BLE001 as above
        if type(error) is Exception and not error.args:  # the SDK's way to stop a run
            tell(Stopping())
            end = Raised(time.monotonic() - began, "")
        else:
            end = _end_of(error, time.monotonic() - began, 1)
    tell(end or Returned(time.monotonic() - began, entered.unbegun()))
    if end is not None:
        finish(end.exit_code)


def _end_of(error: BaseException, trainer_s: float, code: int) -> Raised | None:
    """Say how a trainer ended that raised something, and print where; None if that is as good as returning.

    Args:
        error: What it raised.
        trainer_s: How long it ran.
        code: The exit code of what is no exit.
    """
    if isinstance(error, Interrupted):
        return Raised(trainer_s, "", code)
    if not isinstance(error, SystemExit):
        print_own(error)
        return Raised(trainer_s, one_line(error) + place_of_call(error), code)
    if error.code is None or error.code == 0:
        return None
    said = f"the trainer called sys.exit({error.code!r:.500}){last_place(error)}"
    print(said, file=sys.stderr, flush=True)  # noqa: T201 this is the run's log
    return Raised(trainer_s, said, error.code if isinstance(error.code, int) else 1, exited=True)


def _main_thread() -> int:
    return threading.main_thread().ident or 0
