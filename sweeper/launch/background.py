"""Launches without a terminal: started in a session of their own, and their logs found again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from sweeper import private_files
from sweeper.errors import LaunchError
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.nearest import nearest
from sweeper.processes import python
from sweeper.settings import Settings

START_TIMEOUT_S = 60.0
STEADY_S = 3.0
"""A run that has worked for so long has got past its imports and its first mistakes."""
WATCH_S = 60.0
"""How long a launch is watched for such a run; importing torch takes a few seconds."""
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class BackgroundLaunch:
    """A launch in the background.

    Attributes:
        pid: Its process.
        log: What it says.
        over: Whether it has ended already, and well.
    """

    pid: int
    log: Path
    over: bool = False


def start_in_background(
    arguments: Sequence[str], directory: SweepDir, settings: Settings, *, watch_s: float = WATCH_S
) -> BackgroundLaunch:
    """Start `sweeper ...` in a session of its own, which no logout ends, and wait until a run works.

    Args:
        arguments: The command line, without `--detach`.
        directory: The sweep's.
        settings: The user's environment.
        watch_s: How long to wait for such a run once the launch has its slots.

    Raises:
        LaunchError: It ended before that, and not well; the message is what it said.
    """
    log = directory.background_log()
    with private_files.open_file(log, "ab") as file:
        process = subprocess.Popen(
            python("-m", "sweeper", *arguments),
            env=dict(settings.environ),  # as it was read: connecting to a server has changed this process's own
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    # not only until it lives: a mistake in trainer or sweep shows within seconds, and the user still looks
    deadline, held = time.monotonic() + START_TIMEOUT_S, None
    while time.monotonic() < deadline:
        if code := process.poll():
            said, fixes = _what_it_said(log)
            raise LaunchError(f"the launch ended at once: {said}", "; ".join([*fixes, f"its log: {log}"]))
        if code == 0:
            return BackgroundLaunch(process.pid, log, over=True)
        if held is None:
            held = next((launch for launch in directory.launches() if launch.launcher() == process.pid), None)
            deadline = deadline if held is None else time.monotonic() + watch_s
        elif _works(held):
            break
        time.sleep(POLL_S)
    return BackgroundLaunch(process.pid, log)


def _works(launch: LaunchDir) -> bool:
    """Whether a run of a launch has ended well, or has worked for a while."""
    attempts = launch.attempts().values()
    return any(not attempt.failed if attempt.outcome else time.time() - attempt.at > STEADY_S for attempt in attempts)


def _what_it_said(log: Path) -> tuple[str, list[str]]:
    """Pick a launch's errors out of all that it printed, and what it says to do; its last lines if it names none."""
    lines = [line.rstrip() for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    fixes = [fix.strip() for line, fix in pairwise(lines) if line.startswith("error: ") and fix.startswith("  ")]
    return "; ".join(errors) or "\n".join(lines[-8:]), fixes


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
    sweeps = SweepDir.known(home)
    launches = [launch for sweep in sweeps for launch in sweep.launches()]
    launches.sort(key=lambda launch: launch.path.name)  # by the time they began, whatever sweep they are of
    for launch in reversed(launches):
        attempts = [attempt for attempt in launch.history() if name in {attempt.run_id, attempt.slot} and attempt.log]
        if attempts:
            return Path(attempts[-1].log), partial(_goes_on, launch, attempts[-1].run_id)
    if found := next((sweep.ref for sweep in sweeps if name in {sweep.ref.sweep_id, sweep.ref.path}), None):
        fix = f"`sweeper status {found.quoted}` lists its runs and their slots"
        raise LaunchError(f"{name} is a sweep, and logs are a run's or a slot's", fix)
    known = {
        word for launch in launches for one in launch.attempts().values() if one.log for word in (one.run_id, one.slot)
    }
    meant = nearest(name, sorted(known))
    lists = "`sweeper status` lists the runs and their slots"
    raise LaunchError(f"no run or slot {name!r} on this machine", f"did you mean {meant}? {lists}" if meant else lists)


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
