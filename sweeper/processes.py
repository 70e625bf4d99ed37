"""Processes of ours: how a Python is started, and how lives are bound together (Linux), so that nothing is orphaned."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable
from types import FrameType

import psutil

# linux/prctl.h; macOS has nothing like it, and only loses what is promised for kill -9
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def python(*arguments: str) -> list[str]:
    """Give the command line of a Python of ours, which imports nothing from the folder that its user stands in.

    Args:
        arguments: `-m MODULE ...` or `-c CODE ...`, before which Python would put that folder first.
    """
    return [sys.executable, "-P", *arguments]


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, so that nothing is ever orphaned (Linux).

    The parent is the thread that started the process: it must live as long as the process shall.
    """
    _when_parent_dies(signal.SIGKILL)


def end_with_parent() -> None:
    """When the parent dies, kill every process below this one, and then this one.

    A process of the user's own program has no such bond: it would outlive a plain `die_with_parent`. A SIGHUP while the
    parent lives asks for a gentle end, as a SIGTERM does.
    """
    parent = os.getppid()

    def end(_number: int, _frame: FrameType | None) -> None:
        if os.getppid() == parent:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                process.kill()
        os._exit(1)

    # SIGHUP, for SIGKILL could not be answered, and SIGTERM asks for a gentle end
    signal.signal(signal.SIGHUP, end)
    _when_parent_dies(signal.SIGHUP)


def _when_parent_dies(number: signal.Signals) -> None:
    if sys.platform == "linux":
        parent = os.getppid()  # forked processes lose this bond, so each asks for it itself
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)  # it died before we asked


class Family:
    """The processes that a process started itself; whatever else becomes its child is a stray.

    Strays are what a dead child leaves behind: a script, a data loader, the other ranks of a distributed run. They
    would hold their GPU's memory for ever. On Linux they become children of this process.
    """

    def __init__(self) -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
        self._own: set[int] = set()

    def keep(self, pids: Iterable[int] | None = None) -> None:
        """Note children that are no strays; all there are now by default."""
        self._own.update(_children() if pids is None else pids)

    def end_strays(self) -> list[str]:
        """Kill strays and bury the dead; wandb-core ends by itself, when it has seen that its process is gone.

        Returns:
            The names of those that somebody else had killed.
        """
        killed: list[str] = []
        for process in psutil.Process().children():
            if process.pid in self._own:
                continue
            with contextlib.suppress(psutil.Error, ChildProcessError):
                if process.status() != psutil.STATUS_ZOMBIE and not process.name().startswith("wandb-"):
                    # listed before any is killed: the children of a dead one are ours, and no longer below it
                    for below in [process, *process.children(recursive=True)]:
                        below.kill()
                    process.wait(timeout=1)
                else:
                    name = process.name()
                    pid, status = os.waitpid(process.pid, os.WNOHANG)
                    if pid and os.WIFSIGNALED(status):
                        killed.append(name)
        return killed


def killed_children(name: str) -> set[int]:
    """List the children of this process that were killed, whose names begin so, and whom nobody has buried yet."""
    killed = set()
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error, ChildProcessError):
            if process.name().startswith(name):
                ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is not None and ended.si_code in {os.CLD_KILLED, os.CLD_DUMPED}:
                    killed.add(process.pid)
    return killed


def _children() -> list[int]:
    return [process.pid for process in psutil.Process().children()]
