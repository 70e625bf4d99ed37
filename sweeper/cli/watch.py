"""`sweeper status --watch`: a status that is shown anew until there is nothing more to wait for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from shlex import quote
from typing import TYPE_CHECKING

from rich.live import Live

from sweeper.cli.output import err, escape, out, show

if TYPE_CHECKING:
    from sweeper.results.status import SweepStatus

WATCH_S = 5.0
IDLE = 2
"""So often in a row nobody is seen at work before a watch ends that never saw a launch: one may be about to start."""


class WatchEnd:
    """Tells when a watch has nothing more to wait for."""

    def __init__(self) -> None:
        self._worked = False
        self._idle = 0

    def why(self, status: SweepStatus) -> str | None:
        """Say why the watch ends, empty where the status says it itself; None as long as it goes on."""
        if status.facts.state.ended:
            return ""
        self._idle = self._idle + 1 if status.idle else 0
        if status.launchers:
            self._worked = True
        elif self._worked and not any(run.at_work for run in status.runs):
            return "no launch of this machine works on the sweep any more"
        elif self._idle >= IDLE:
            return "nobody works on the sweep"
        return None


def watching(
    read: Callable[[], SweepStatus],
    tell: Callable[[SweepStatus], None] | None,
    *,
    every_run: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Show a status again and again until its sweep ends, or nobody works on it; say which.

    On a terminal it stays in its place; a pipe or a file gets one after the other.

    Args:
        read: Gives the status.
        tell: Prints it; None to show it to a person.
        every_run: A row for each run.
        sleep: How to wait; a test gives its own.
    """
    from sweeper.cli.confirmation_view import show_confirmation

    if tell is None and sys.stdout.isatty() and not every_run:
        status, why = _in_place(read, sleep)
        show_confirmation(status.confirmation)
    else:
        status, why = _one_after_the_other(read, tell, sleep, every_run=every_run)
    if why:
        what = f"{why}: sweeper launch {quote(status.facts.sweep)}"
        err.print(escape(what), soft_wrap=True)


def _in_place(read: Callable[[], SweepStatus], sleep: Callable[[float], None]) -> tuple[SweepStatus, str]:
    from sweeper.cli.tables import live_view

    ending, status = WatchEnd(), read()
    with Live(console=out, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            why = ending.why(status)
            # the last one stays on the screen, with a line for what is said below it
            height = out.height if why is None else out.height - 2
            live.update(live_view(status, width=out.width, height=height), refresh=True)
            if why is not None:
                return status, why
            sleep(WATCH_S)
            status = read()


def _one_after_the_other(
    read: Callable[[], SweepStatus],
    tell: Callable[[SweepStatus], None] | None,
    sleep: Callable[[float], None],
    *,
    every_run: bool,
) -> tuple[SweepStatus, str]:
    from sweeper.cli.confirmation_view import show_confirmation
    from sweeper.cli.tables import status_view

    ending = WatchEnd()
    while True:
        status = read()
        if tell is None:
            show(status_view(status, width=out.width, every_run=every_run))
            show_confirmation(status.confirmation)
        else:
            tell(status)
        sys.stdout.flush()
        if (why := ending.why(status)) is not None:
            return status, why
        sleep(WATCH_S)
