"""A script as the trainer: the SDK's own agent starts it by the file's `command:`, and this process watches it.

The agent (wandb 0.31) hands a script its environment when it starts it and keeps its exit code to itself. Python's
audit events tell when a process is started, and let its environment be completed; the kernel tells how it ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import psutil

from sweeper.worker.main_thread import Entered, Raised, Report, Returned, Started

START_S = 3.0
"""A process that is not there by then, behind the audit event of its start, could not be started."""


def host_script(
    agent: Callable[[], None],
    *,
    tell: Callable[[Report], None],
    enter: Callable[[dict[str, str], Sequence[str]], Entered],
) -> None:
    """Run an agent that starts one script, and report how that goes; ends this process with the script.

    Args:
        agent: Takes a run from the server and starts the script on it.
        tell: Takes reports.
        enter: Called with the run at hand: completes the environment of the script, whose command line it is told.
    """

    def note(event: str, arguments: tuple[object, ...]) -> None:
        env = arguments[3] if event == "subprocess.Popen" else None
        if isinstance(env, dict) and env.get("WANDB_SWEEP_PARAM_PATH"):
            command = [str(word) for word in arguments[1]] if isinstance(arguments[1], list) else [""]
            entered = enter(env, command)
            tell(Started(entered.run_id, entered.params))
            threading.Thread(target=_watch, args=(entered, tell, command[0]), daemon=True).start()

    sys.addaudithook(note)  # for good: Python has no way to remove one, and this process hosts one script
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _pass_on)
    agent()


def _pass_on(number: int, _frame: FrameType | None) -> None:
    """Give the script the signal: it may save and end as it likes, until its grace is over."""
    script = script_pid()
    if script is None:
        raise SystemExit(128 + number)  # no run is lost
    os.kill(script, number)


def _watch(entered: Entered, tell: Callable[[Report], None], command: str) -> None:
    """Report the script's end; there is nothing more to do then, but the agent would take 5 s to see it."""
    began = time.monotonic()
    # the audit event comes before the process
    while (pid := script_pid()) is None and time.monotonic() < began + START_S:
        time.sleep(0.01)
    code = _exit_code(pid) if pid else 255
    took_s = time.monotonic() - began
    if code and (why := _why_not(command)):  # the agent would try again and again
        tell(Raised(0.0, f"{command} cannot be started: {why}", 127, exited=True))
    else:
        tell(Raised(took_s, "", code) if code else _returned(took_s, entered))
    os._exit(0)  # from a thread, sys.exit would end the thread alone


def _returned(took_s: float, entered: Entered) -> Returned:
    unbegun = entered.unbegun()
    return Returned(took_s, unbegun, "" if unbegun else entered.open_state())


def _why_not(command: str) -> str:
    """Say why a command does not start, if it does not: the kernel blames the script for its interpreter."""
    path = Path(shutil.which(command) or command)
    if not path.is_file():
        return "there is no such file"
    if not os.access(path, os.X_OK):
        return f"it may not be executed (chmod +x {command})"
    with path.open("rb") as file:
        interpreter = file.readline(200).decode(errors="replace").removeprefix("#!").split()
        file.seek(0)
        missing = file.read(2) == b"#!" and interpreter and not Path(interpreter[0]).exists()
    return f"its first line names {interpreter[0]}, which is not there" if missing else ""


def _exit_code(pid: int) -> int:
    """Wait for a child's end; 128 and more is a signal. The agent, which looks every 5 s, still finds it."""
    try:
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:  # the agent looked in the same moment: the log has to tell
        return 1
    assert ended is not None  # noqa: S101 only WNOHANG gives None
    return ended.si_status if ended.si_code == os.CLD_EXITED else 128 + ended.si_status


def script_pid() -> int | None:
    """Find the script among this process's children, where wandb-core is the other."""
    for process in psutil.Process().children():
        if not process.name().startswith("wandb-"):
            return process.pid
    return None
