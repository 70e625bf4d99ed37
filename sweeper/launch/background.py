"""Launches without a terminal: started in a session of their own, and their logs found again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sweeper.errors import LaunchError
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.processes import python
from sweeper.settings import Settings

START_TIMEOUT_S = 60.0
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class BackgroundLaunch:
    """A launch in the background.

    Attributes:
        pid: Its process.
        log: What it says.
    """

    pid: int
    log: Path


def start_in_background(arguments: Sequence[str], directory: SweepDir, settings: Settings) -> BackgroundLaunch:
    """Start `sweeper ...` in a session of its own, which no logout ends, and wait until its workers start.

    Args:
        arguments: The command line, without `--detach`.
        directory: The sweep's.
        settings: The user's environment.

    Raises:
        LaunchError: It ended before that; the message is what it said.
    """
    log = directory.background_log()
    with log.open("ab") as file:
        process = subprocess.Popen(
            python("-m", "sweeper", *arguments),
            env=dict(settings.environ),  # as it was read: connecting to a server has changed this process's own
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    # not only until it lives: a missing trainer or an ended sweep shows within seconds, and the user still looks
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LaunchError(f"the launch ended at once: {log.read_text(encoding='utf-8').strip()}", f"its log: {log}")
        if any(launch.launcher() == process.pid for launch in directory.launches()):
            break
        time.sleep(POLL_S)
    return BackgroundLaunch(process.pid, log)


def find_log(home: Path, name: str) -> tuple[Path, Callable[[], bool]]:
    """Find the newest log of a run or of a slot of this machine.

    Args:
        home: The state directory.
        name: A run's id, or a slot's name.

    Returns:
        The file, and a function that tells whether more may be written to it.

    Raises:
        LaunchError: Nothing of that name ran here.
    """
    launches = [launch for sweep in SweepDir.known(home) for launch in sweep.launches()]
    launches.sort(key=lambda launch: launch.path.name)  # by the time they began, whatever sweep they are of
    for launch in reversed(launches):
        attempts = [attempt for attempt in launch.history() if name in {attempt.run_id, attempt.slot} and attempt.log]
        if attempts:
            return Path(attempts[-1].log), partial(_goes_on, launch, attempts[-1].run_id)
    raise LaunchError(f"no run or slot {name!r} on this machine", "`sweeper status` lists the runs and their slots")


def _goes_on(launch: LaunchDir, run_id: str) -> bool:
    return launch.launcher() is not None and launch.attempts()[run_id].outcome is None


def read_log(log: Path, goes_on: Callable[[], bool], *, follow: bool) -> Iterator[str]:
    """Read a log piece by piece, to its end or as long as it grows.

    Raises:
        LaunchError: Somebody has deleted it.
    """
    try:
        file = log.open(encoding="utf-8", errors="replace")
    except FileNotFoundError as error:
        fix = "the run's page has what the SDK sent of it; `sweeper status` says where that is"
        raise LaunchError(f"the log is gone: {log}", fix) from error
    with file:
        while True:
            more = follow and goes_on()  # asked before reading, or the last words would be missed
            if text := file.read():
                yield text
            elif not more:
                return
            else:
                time.sleep(POLL_S)
