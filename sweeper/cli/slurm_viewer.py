"""What is seen of a launch that others watch over: its progress, while one looks; it needs nobody who does."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from rich.live import Live

from sweeper.cli import launch_end
from sweeper.cli.launch_screen import LaunchScreen
from sweeper.cli.output import err
from sweeper.cli.progress_log import ProgressLog
from sweeper.cli.target import Target, find_target

if TYPE_CHECKING:
    from sweeper.launch.launch_result import LaunchResult
    from sweeper.launch.prepare import Launch
    from sweeper.launch.slurm.submission import Submission
    from sweeper.launch.status_poller import StatusPoller

LOOK_S = 0.5
QUEUE_S = 10.0
"""How often Slurm is asked whether the head is still there."""
SHOWN = 50


def view(launch: Launch, submission: Submission, target: Target, *, as_json: bool) -> None:
    """Show a launch until it is over, and say what came of it; Ctrl-C stops it gently, a second one kills.

    Raises:
        LaunchError: Its head has gone without a word.
    """
    from sweeper.backend import embedded_server

    with ExitStack() as stack:
        result = _watch(launch, submission, target, stack)
    if not submission.serves:
        launch_end.conclude(launch, result, target.reader(), target, as_json=as_json)
        return
    # the server is nobody's now: it comes up here for the last word, and goes again
    try:
        again = replace(find_target(target.ref.path, "local"), named=target.named)
        launch_end.conclude(launch, result, again.reader(), again, as_json=as_json)
    finally:
        embedded_server.stop(target.settings.home)


def _watch(launch: Launch, submission: Submission, target: Target, stack: ExitStack) -> LaunchResult:
    from sweeper.backend import sdk
    from sweeper.launch.relay_process import RelayProcess
    from sweeper.launch.status_poller import StatusPoller

    if submission.server:
        log = launch.directory.path / "viewer.relay.log"
        relay = stack.enter_context(closing(RelayProcess(Path(submission.server), target.settings.environ, log)))
        target = replace(target, backend=replace(target.backend, base_url=relay.url))
        sdk.connect(target.backend, target.settings)
    seen = sys.stderr.isatty()
    poller = stack.enter_context(StatusPoller(target.reader(), target.check, shown=max(SHOWN, err.height) * seen))
    wait = partial(_until_over, launch, submission)
    if seen:
        with Live(console=err, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
            return wait(LaunchScreen(launch, poller, live).draw)
    lines = ProgressLog(launch.before, launch.count)
    return wait(lambda: _tell(lines, poller))


def _tell(lines: ProgressLog, poller: StatusPoller) -> None:
    if poller.latest is not None:  # before, nothing is amiss: the server's job waits or starts
        lines.tell(poller.latest, poller.trouble)


def _until_over(launch: Launch, submission: Submission, tick: Callable[[], None]) -> LaunchResult:
    from sweeper.launch.slurm import outcome
    from sweeper.launch.slurm.commands import SlurmError
    from sweeper.launch.slurm.submit import check_head, stop_launch

    asked, looked_at = 0, time.monotonic()
    with _interrupts() as pending:
        while (result := outcome.read(launch.directory)) is None:
            tick()
            time.sleep(LOOK_S)
            if time.monotonic() - looked_at > QUEUE_S:
                looked_at = time.monotonic()
                _unless_silent(partial(check_head, launch.directory, submission))
            while pending:
                pending.pop()
                asked += 1
                grace_s = launch.rules.grace_s
                gently = f"stopping: runs have {grace_s:g} s to send what they have; Ctrl-C again kills"
                err.print(gently if asked == 1 else "killing", soft_wrap=True)
                try:
                    stop_launch(launch.directory, submission, gently=asked == 1)
                except SlurmError as error:
                    err.print(error.message, soft_wrap=True)
    return replace(result, interrupted=True) if asked else result


def _unless_silent(check: Callable[[], None]) -> None:
    """Check, unless Slurm does not answer: a controller that restarts is back in a moment."""
    from sweeper.launch.slurm.commands import SlurmError

    try:
        check()
    except SlurmError:
        return


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect every Ctrl-C."""
    pending: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        pending.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pending
    finally:
        signal.signal(signal.SIGINT, before)
