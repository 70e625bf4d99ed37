"""How the main thread, asleep or not, is told to end what it does: by an exception that a signal brings, once."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import socket
import threading
from collections.abc import Iterator
from functools import partial
from types import FrameType

REPEAT_S = 1.0
"""How often a main thread that does not wake is sent a signal once more, after the first few times."""


_was_heard = threading.Event()


class Interrupted(BaseException):
    """Raised in the trainer when its run must end; no `except Exception` of the trainer's holds it up."""

    __module__ = "builtins"  # as people read it at the end of a traceback

    def __init__(self, *said: object) -> None:
        """Note that the signal was heard: what the trainer does to end is not interrupted by another one.

        Nor where the trainer puts back all handlers of signals that it found, as Lightning does.
        """
        super().__init__(*said)
        if signal.getsignal(signal.SIGUSR2) is INTERRUPT:
            signal.signal(signal.SIGUSR2, _heard)
        _was_heard.set()


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: what is asleep goes on sleeping. SIG_IGN would have Python complain of a signal under way."""


# An exception that a handler in Python raises has a frame of that handler in its traceback, which the SDK prints. This
# is a function in C that raises; it is called with the two arguments of a signal's handler behind its own.
_RAISE = ctypes.PYFUNCTYPE(None, ctypes.py_object, ctypes.py_object, ctypes.c_int, ctypes.py_object)(
    ("PyErr_SetObject", ctypes.pythonapi)
)
INTERRUPT = partial(_RAISE, Interrupted, "the run was told to end")


def arm() -> None:
    """Have the next signal interrupt what the main thread does, and none after it."""
    _was_heard.clear()
    signal.signal(signal.SIGUSR2, INTERRUPT)


@contextlib.contextmanager
def waking(woken: socket.socket) -> Iterator[None]:
    """Have the numbers of signals sent to a socket at the moment they come, whatever the main thread is at."""
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)


def interrupt(done: threading.Event) -> None:
    """Interrupt the trainer in the main thread, and wait for its end.

    A signal that comes just as the main thread enters a system call does not wake it, and Python acts on it when
    it wakes: the signal is repeated until it was acted on, but never longer.

    Args:
        done: Set when the trainer has ended.
    """
    pauses = iter((0.05, 0.1, 0.2, 0.4))
    main = threading.main_thread().ident or 0
    signal.pthread_kill(main, signal.SIGUSR2)
    while not done.wait(next(pauses, REPEAT_S)):
        if not _was_heard.is_set() and signal.getsignal(signal.SIGUSR2) is INTERRUPT:
            signal.pthread_kill(main, signal.SIGUSR2)
