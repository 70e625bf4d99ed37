"""Binds the life of a process to its parent's."""

from __future__ import annotations

import ctypes
import os
import signal
import sys


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, so that nothing is ever orphaned (Linux).

    The parent is the thread that started the process: it must live as long as the process shall.
    """
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)  # it died before we asked
