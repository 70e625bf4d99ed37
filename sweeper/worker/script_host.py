"""A script as the trainer: the SDK's own agent starts it by the file's `command:`, and this process watches it.

The agent (wandb 0.31) hands a script its environment when it starts it and keeps its exit code to itself. Python's
audit events tell when a process is started, and let its environment be completed; the kernel tells how it ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import psutil

from sweeper.worker.main_thread import Raised, Report, Returned, Started


def host_script(
    agent: Callable[[], None], *, tell: Callable[[Report], None], complete: Callable[[dict[str, str]], str]
) -> None:
    """Run an agent that starts one script, and report how that goes; ends this process with the script.

    Args:
        agent: Takes a run from the server and starts the script on it.
        tell: Takes reports.
        complete: Completes the environment of the script; gives the run's id.
    """

    def note(event: str, arguments: tuple[object, ...]) -> None:
        env = arguments[3] if event == "subprocess.Popen" else None
        if isinstance(env, dict) and env.get("WANDB_SWEEP_PARAM_PATH"):
            tell(Started(complete(env)))
            threading.Thread(target=_watch, args=(tell,), daemon=True).start()

    sys.addaudithook(note)  # for good: Python has no way to remove one, and this process hosts one script
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _pass_on)
    agent()


def _pass_on(number: int, _frame: FrameType | None) -> None:
    """Give the script the signal: it may save and end as it likes, until its grace is over."""
    script = _script()
    if script is None:
        raise SystemExit(128 + number)  # no run is lost
    os.kill(script, number)


def _watch(tell: Callable[[Report], None]) -> None:
    """Report the script's end; there is nothing more to do then, but the agent would take 5 s to see it."""
    began = time.monotonic()
    while (pid := _script()) is None:  # the audit event comes before the process
        time.sleep(0.01)
    code = _exit_code(pid)
    took_s = time.monotonic() - began
    tell(Raised(took_s, "", code) if code else Returned(took_s))
    os._exit(0)  # from a thread, sys.exit would end the thread alone


def _exit_code(pid: int) -> int:
    """Wait for a child's end; 128 and more is a signal. The agent, which looks every 5 s, still finds it."""
    try:
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:  # the agent looked in the same moment: the log has to tell
        return 1
    assert ended is not None  # noqa: S101 only WNOHANG gives None
    return ended.si_status if ended.si_code == os.CLD_EXITED else 128 + ended.si_status


def _script() -> int | None:
    """Find the script among this process's children, where wandb-core is the other."""
    for process in psutil.Process().children():
        if not process.name().startswith("wandb-"):
            return process.pid
    return None
