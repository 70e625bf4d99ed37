"""What a launch shows of itself, wherever its workers are: what it is about to do, and how that goes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.live import Live

from sweeper.backend.disk_room import ROOM_FOR_RUNS
from sweeper.cli.launch_screen import LaunchScreen
from sweeper.cli.output import err, escape, out, print_json, say_next
from sweeper.cli.page_link import say_page_link
from sweeper.cli.target import Target
from sweeper.run import SweepState
from sweeper.settings import Settings

if TYPE_CHECKING:
    from sweeper.launch.launch_result import LaunchResult
    from sweeper.launch.prepare import Launch
    from sweeper.ref import SweepRef
    from sweeper.results.status_reader import StatusReader

SHOWN = 50
"""Runs of which the live view knows the curves, for a terminal that is made higher meanwhile."""


def _check(target: Target) -> None:
    """Fail while runs can send nothing: they wait, and nobody else says why."""
    target.check()
    target.check_room(ROOM_FOR_RUNS)


def detach_launch(reader: StatusReader, settings: Settings, starting: ExitStack, *, as_json: bool) -> None:
    """Start the same command without `--detach` in the background.

    Args:
        reader: Reads the sweep.
        settings: The user's environment.
        starting: What moves until something is printed.
        as_json: Whether what was started is told as JSON.

    Raises:
        LaunchError: It ended before a run worked.
    """
    from sweeper.backend.sweep_reader import SweepReader
    from sweeper.launch.background import WATCH_S, start_in_background

    # as it was typed, so that every option there is or will be is passed on; the log is for people
    arguments = [argument for argument in sys.argv[1:] if argument not in {"--detach", "--json"}]
    is_paused = SweepReader(reader.ref).state() is SweepState.PAUSED
    if is_paused:
        err.print(f"[yellow]{escape(paused(reader.ref))}[/]", soft_wrap=True)
    watch_s = 0.0 if is_paused else WATCH_S  # no run will work before somebody resumes it
    started = start_in_background(arguments, reader.directory, settings, watch_s=watch_s)
    starting.close()
    if as_json:
        told = {"sweep": reader.ref.path, "pid": started.pid, "log": str(started.log), "over": started.over}
        print_json(told)
        return
    out.print(f"launching {escape(reader.ref.path)} in the background: process {started.pid}", soft_wrap=True)
    out.print(f"[dim]log: {escape(str(started.log))}[/]", soft_wrap=True)
    if started.over:
        out.print("it has ended by now, and well")
    say_next(f"sweeper status {reader.ref.quoted}" + ("" if started.over else " --watch"))


def paused(ref: SweepRef) -> str:
    """Say what workers do whose sweep is paused."""
    return f"the sweep is paused: workers wait and do nothing until `sweeper resume {ref.quoted}`"


def announce(launch: Launch, notes: Sequence[str], target: Target) -> None:
    """Say what a launch is about to do.

    Args:
        launch: It, prepared.
        notes: What the user should know of its slots, a line each.
        target: Its sweep.
    """
    from sweeper.readable import runs_word

    made = launch.before.progress
    left = None if made.total is None else made.total - made.done
    if launch.count is not None and left is not None and left < launch.count and not launch.group:
        notes = [*notes, f"--count {launch.count}: the sweep has {runs_word(left)} left"]
    if launch.before.facts.state is SweepState.PAUSED:
        notes = [*notes, paused(launch.ref)]
    names = ", ".join(slot.name for slot in launch.slots)
    count = "until the sweep ends" if launch.count is None else runs_word(launch.count)
    if launch.count is not None and launch.group:
        count += f" over all machines of group {launch.group}"
    err.print(f"launching {escape(launch.ref.path)} on {names}: {count}", soft_wrap=True)
    for note in notes:
        err.print(f"[yellow]{escape(note)}[/]", soft_wrap=True)
    err.print(f"[dim]logs: {escape(str(launch.directory.path))}[/]", soft_wrap=True)
    python = f", started with {launch.python}" if launch.python else ""
    err.print(f"trainer: {escape(launch.trainer)}, {escape(launch.why + python)}", soft_wrap=True)
    for record in launch.recovered:
        what = "runs again" if record.waits else "is given up"
        err.print(f"run {record.run_id} {what}: {escape(record.reason)}", soft_wrap=True)
    say_page_link(err, target.backend, target.settings, launch.before.facts.url)


def watch_launch(launch: Launch, reader: StatusReader, target: Target, **workers: Any) -> LaunchResult:
    """Start the workers, and show how they do until all have ended.

    Args:
        launch: What to start.
        reader: Reads the sweep's status.
        target: The sweep.
        workers: What `run_launch` takes to start them with.

    Raises:
        LaunchError: What it stands on was deleted.
    """
    from sweeper.cli.progress_log import ProgressLog
    from sweeper.launch.foreground import run_launch
    from sweeper.launch.status_poller import StatusPoller

    def say_stopping(asked: int) -> None:
        gently = f"stopping: runs have {launch.rules.grace_s:g} s to send what they have; Ctrl-C again kills"
        err.print(gently if asked == 1 else "killing", soft_wrap=True)

    seen = sys.stderr.isatty()  # a log file would get every frame
    with StatusPoller(reader, partial(_check, target), shown=max(SHOWN, err.height) if seen else 0) as poller:
        run = partial(run_launch, launch, on_stop=say_stopping, latest=lambda: poller.latest, **workers)
        if seen:
            with Live(console=err, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
                return run(tick=LaunchScreen(launch, poller, live).draw)
        log = ProgressLog(launch.before, None if launch.group else launch.count)
        result = run(tick=lambda: log.tell(poller.latest, poller.trouble))
    log.tell(poller.read(), poller.trouble)
    return result
