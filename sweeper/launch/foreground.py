"""A launch under way: this process stays with its workers until all have ended, wherever they work."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from sweeper.launch import missing_metric
from sweeper.launch.forkserver_process import ForkserverProcess
from sweeper.launch.last_word import last_word
from sweeper.launch.launch_result import LaunchResult
from sweeper.launch.launcher import Launcher, WorkerHandle, WorkerState
from sweeper.launch.local import LocalLauncher
from sweeper.launch.prepare import Launch
from sweeper.launch.replacement import Replacement, check_needs
from sweeper.launch.supervisor import supervise
from sweeper.launch.sweep_scheduler import SchedulerProcess
from sweeper.launch.terminal import Voice
from sweeper.results.status import SweepStatus


def run_launch(
    launch: Launch,
    *,
    tick: Callable[[], None],
    on_stop: Callable[[int], None],
    latest: Callable[[], SweepStatus | None] = lambda: None,
    launcher: Launcher | None = None,
    forkserver: ForkserverProcess | None = None,
) -> LaunchResult:
    """Start the workers and stay until all have ended; Ctrl-C stops gently, a second one kills.

    So does SIGTERM, and the end of the terminal, after which the launch goes on talking to a file.

    Args:
        launch: What to start.
        tick: Called several times a second from this thread.
        on_stop: Told of every Ctrl-C, with how many there were.
        latest: Gives the sweep's status, a few seconds old at most.
        launcher: What starts its workers; by default, processes of this machine.
        forkserver: What those are forked from, if it was started early.

    Raises:
        LaunchError: What it stands on was deleted; its workers end with this process.
    """
    launcher = launcher or LocalLauncher(launch.environ, forkserver)  # the one place that names a launcher
    scheduler = SchedulerProcess(launch.ref, launch.environ, launch.directory.scheduler_log, runs=len(launch.slots))
    with _signals() as (pending, seen), launch.directory.held(), contextlib.closing(scheduler):
        voice = Voice(launch.directory.launch_log)
        watch = Watch(launch, launcher, latest, stop=lambda: pending.append(signal.SIGTERM), scheduler=scheduler)

        def turn() -> None:
            watch.turn()
            voice.say(tick)

        handles = launcher.start([launch.worker_spec(slot) for slot in launch.slots])
        states = supervise(
            launcher,
            handles,
            signals=pending,
            grace_s=launch.rules.grace_s,
            tick=turn,
            # not of the watch's own, which nobody pressed
            on_stop=lambda asked: voice.say(partial(on_stop, asked)) if seen else None,
            replace=watch.replace,
            sleep=launcher.wait,
        )
        watch.clear(states)
    ended = launch.directory.ended()
    failed = [slot for slot, state in states.items() if state in {WorkerState.FAILED, WorkerState.DIED}]
    errors = {slot: last_word(launch.directory.worker_log(slot)) for slot in failed}
    return LaunchResult(
        runs=tuple(launch.directory.attempts().values()),
        interrupted=bool(seen),
        # what ended the launch is told once, not by every slot that saw it
        errors={} if seen else {slot: why for slot, why in errors.items() if not (ended and why.startswith(ended))},
        ended=ended,
        planned=watch.planned,
    )


@dataclass
class Watch:
    """What a launcher does while its workers work: it ends the launch when it is time, and replaces dead workers.

    Attributes:
        launch: What was started.
        launcher: What started it.
        latest: Gives the sweep's status.
        stop: Stops the workers gently.
        scheduler: The sweep's own, to be started if need be.
        planned: Whether the launch ended as it was asked to.
    """

    launch: Launch
    launcher: Launcher
    latest: Callable[[], SweepStatus | None]
    stop: Callable[[], None]
    scheduler: SchedulerProcess
    planned: bool = False
    # monotonic: a clock that is set must not end a launch
    began: float = field(default_factory=time.monotonic)
    _replacement: Replacement = field(init=False)

    def __post_init__(self) -> None:
        launch = self.launch
        self._replacement = Replacement(
            launch.ref,
            launch.directory,
            self.launcher,
            orders=lambda name: launch.worker_spec(next(slot for slot in launch.slots if slot.name == name)),
            retries=launch.rules.retries,
            needs=launch.needs,
            spare=lambda: self.scheduler.pids,
        )

    def turn(self) -> None:
        """End the launch or a run if the disk, the clock, the scheduler or the sweep's newest status says so."""
        check_needs(self.launch.needs)
        rules, status = self.launch.rules, self.latest()
        if rules.time_budget_s and time.monotonic() - self.began > rules.time_budget_s and not self.planned:
            self._end("the time budget is used up")
            self.stop()
        # without its scheduler a sweep gives no more runs: agents would wait for ever
        if (why := self.scheduler.failure()) and not self.launch.directory.ended():
            self.launch.directory.end(why)
            self.stop()
        if status is None:
            return
        if self.launch.scheduler and self.scheduler.process is None and not status.search.scheduler_at_work:
            self.scheduler.start()
        if rules.stop_at_target and status.reached_target and not self.planned:
            self._end("a run has reached the target")
        if (why := missing_metric.verdict(self.launch, status)) and not self.launch.directory.ended():
            self.launch.directory.end(why)
        for run in status.runs:
            if run.told_to_stop:  # its agent may be deaf to it: a trainer in C code, a hanging SDK
                self.launch.directory.order_stop(
                    run.id, asked_at_s=status.read_at.timestamp() if status.read_at else 0.0
                )

    def _end(self, why: str) -> None:
        self.planned = True
        self.launch.directory.end(why)

    def replace(self, handle: WorkerHandle, state: WorkerState) -> WorkerHandle | None:
        """Take up what a dead worker left behind, and start another one if there is work for it.

        Raises:
            BackendError: The server is away, and cannot be told what a dead worker was at: ask again.
        """
        return self._replacement.replace(handle, state)

    def clear(self, states: Mapping[str, WorkerState]) -> None:
        """End what dead workers left running, and hand their runs out again."""
        self._replacement.clear(states)


@contextmanager
def _signals() -> Iterator[tuple[list[int], list[int]]]:
    """Collect SIGINT, SIGTERM and SIGHUP: the list to act on, and all there were."""
    pending: list[int] = []  # a handler only notes: what it interrupts may hold any lock
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        # a terminal that is closed says so more than once, to the shell and to its job: nobody asks for a kill by that
        if number != signal.SIGHUP or number not in seen:
            pending.append(number)
            seen.append(number)

    # `nohup` has SIGHUP ignored, and means it
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, *hangup)}
    try:
        yield pending, seen
    finally:
        for number, handler in before.items():
            # the second word of a closed terminal must not end us before the summary is written
            signal.signal(number, signal.SIG_IGN if number == signal.SIGHUP and number in seen else handler)
