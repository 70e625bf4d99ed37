"""The trainer in the main thread of a run's process, the SDK's agent in another.

The agent would call the trainer in a thread of its own, where Python gives no signal to it: SIGTERM could not ask it
to save a checkpoint, and a stop would wait for the end of a `time.sleep`. Here the agent's call waits until the main
thread has run the trainer, and what the agent does to its own thread, raising a bare Exception to stop the run
(wandb 0.31), is passed on as a signal, which also interrupts a system call.

What the trainer raises goes no further: the agent would print it with its own frames and ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

from sweeper.processes import killed_children
from sweeper.worker.interruption import REPEAT_S, Interrupted, arm, interrupt, waking
from sweeper.worker.tracebacks import last_place, one_line, place_of_call, print_own, was_raised_in
from sweeper.worker.trainer_import import Trainer

POLL_S = 0.05
"""How often the agent's thread looks for signals; the SDK's way to stop a run reaches a thread between two waits."""


_ENDING = (signal.SIGTERM, signal.SIGINT)


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

    def open_state(self) -> str:
        """Asked then, too, of a script: in which state the server still has the run; empty if it has heard its end."""


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
        open_state: In which state the server still has it, if it has heard of no end; empty if it has, or will.
    """

    trainer_s: float
    unbegun: str = ""
    open_state: str = ""


@dataclass(frozen=True, slots=True)
class Raised:
    """The trainer did not return.

    Attributes:
        trainer_s: How long it ran.
        error: What it raised, in one line; empty for an end that we asked for.
        exit_code: What it gave to sys.exit; 128 and the number of the signal that ended it.
        exited: Whether it called sys.exit.
        core_killed: Whether wandb-core was killed under it.
    """

    trainer_s: float
    error: str
    exit_code: int = 1
    exited: bool = False
    core_killed: bool = False


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
        self._wake, self._woken = socket.socketpair()

    def run(self, agent: Callable[[Trainer], None], enter: Callable[[], Entered]) -> None:
        """Run the agent until it returns, and the trainer when it is called.

        Args:
            agent: Takes a run from the server and calls the function it is given on it.
            enter: Called with the run at hand, before the trainer.
        """
        for number in _ENDING:
            signal.signal(number, self._note)
        os.register_at_fork(after_in_child=self._let_go)
        self._wake.setblocking(False)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

        well = False

        def act() -> None:
            nonlocal well
            try:
                agent(lambda: self._call(enter))
                well = True
            finally:
                self._turn.set()

        with waking(self._woken):
            thread = threading.Thread(target=act, daemon=True)
            thread.start()
            while not self._turn.wait(REPEAT_S):  # a signal that comes as the wait begins is heard at its end
                pass
            if self._entered is not None:
                self._train(self._entered)
                self._done.set()
            thread.join()  # the agent has to send the rest
        if self._entered is None and not well:
            raise SystemExit(1)  # asking for a run failed, which is not the same as that there is none

    def _note(self, number: int, _frame: FrameType | None) -> None:
        """Remember a signal for the agent's thread; the SDK's locks may be held by what it interrupts."""
        if not self._called:
            raise SystemExit(128 + number)  # no run is lost
        self._remember(number)

    def _let_go(self) -> None:
        """In a process that the trainer forks: its signals are its own, and it dies of them, as it would anywhere."""
        signal.set_wakeup_fd(-1)
        for number in _ENDING:
            if signal.getsignal(number) == self._note:
                signal.signal(number, signal.SIG_DFL)

    def _remember(self, number: int) -> None:
        self._ending = self._ending or signal.Signals(number)

    def _look_for_signals(self) -> None:
        """Remember signals of which Python tells the main thread only when that wakes from its sleep."""
        with contextlib.suppress(BlockingIOError):
            for number in self._wake.recv(64):
                if number in _ENDING and self._called:
                    self._remember(number)

    def _call(self, enter: Callable[[], Entered]) -> None:
        """Wait, in the agent's thread, for the trainer's end; close the run of one that did not return."""
        self._called = True
        self._entered = entered = enter()
        self._tell(Started(entered.run_id, entered.params))
        self._turn.set()
        try:
            while not self._done.wait(POLL_S):  # a wait without end would never see the SDK's exception
                entered.look()
                self._look_for_signals()
                if self._ending is not None:
                    self._end()
        except Exception:  # noqa: BLE001 the SDK's way to stop a run
            self._tell(Stopping())
            interrupt(self._done)
        _close(self._finish, self._raised, self._tell)

    def _end(self) -> None:
        """End the trainer: after a SIGTERM its run goes on elsewhere, after a SIGINT it has failed."""
        if self._ending is signal.SIGTERM:
            with contextlib.suppress(Exception):  # wandb-core is dead: its worker tells the server, too
                self._mark_preempting()
        interrupt(self._done)

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
            arm()
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
    _close(finish, end, tell)


def _close(finish: Callable[[int], None], end: Raised | None, tell: Callable[[Report], None]) -> None:
    """End a run that the trainer has left open; report what that raises of one that was to end well.

    The agent would do so, too, and tell nobody: with a dead wandb-core, what was logged last is lost.
    """
    began = time.monotonic()
    try:
        finish(end.exit_code if end else 0)
    except Exception as error:  # noqa: BLE001 whatever the SDK raises
        if end is None:
            tell(Raised(time.monotonic() - began, one_line(error)))


def _end_of(error: BaseException, trainer_s: float, code: int) -> Raised | None:
    """Say how a trainer ended that raised something, and print where; None if that is as good as returning.

    Args:
        error: What it raised.
        trainer_s: How long it ran.
        code: The exit code of what is no exit.
    """
    if isinstance(error, Interrupted):
        return Raised(trainer_s, "", code)
    core_killed = bool(killed_children("wandb-core"))
    if not isinstance(error, SystemExit):
        print_own(error)
        return Raised(trainer_s, one_line(error) + place_of_call(error), code, core_killed=core_killed)
    if error.code is None or error.code == 0:
        return None
    said = f"the trainer called sys.exit({error.code!r:.500}){last_place(error)}"
    print(said, file=sys.stderr, flush=True)  # noqa: T201 this is the run's log
    exit_code = error.code if isinstance(error.code, int) else 1
    # wandb.teardown gives the exit code of its wandb-core to sys.exit, and has buried it (wandb 0.31)
    core_killed = core_killed or (exit_code < 0 and was_raised_in(error, "/wandb/sdk/wandb_setup.py"))
    return Raised(trainer_s, said, exit_code, exited=True, core_killed=core_killed)
