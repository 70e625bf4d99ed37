"""A launch under way: this process stays with its workers until all have ended, wherever they work."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from sweeper.errors import BackendError, LaunchError
from sweeper.launch import missing_metric
from sweeper.launch.forkserver_process import ForkserverProcess
from sweeper.launch.launch_result import LaunchResult
from sweeper.launch.launcher import Launcher, WorkerHandle, WorkerState
from sweeper.launch.local import LocalLauncher
from sweeper.launch.prepare import Launch
from sweeper.launch.recovery import recover_slot
from sweeper.launch.supervisor import supervise
from sweeper.launch.sweep_scheduler import SchedulerProcess
from sweeper.launch.terminal import Voice
from sweeper.results.status import SweepStatus
from sweeper.worker.run_log import tail

AWAY_S = 2.0
"""How long a server that is away is left alone, before it is told again of a worker that died."""
RESTARTS = 3
"""How often the worker of a slot is started again after it died: a slot that kills worker after worker is broken."""


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
    errors = {slot: _last_line(launch.directory.worker_log(slot)) for slot in failed}
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
    restarts: dict[str, int] = field(default_factory=dict)
    away_until: float = 0.0

    def turn(self) -> None:
        """End the launch or a run if the disk, the clock, the scheduler or the sweep's newest status says so."""
        self._check_data()
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

        A worker that ended well is also replaced if a run waits: it found no ticket, and one came back since.

        Raises:
            BackendError: The server is away, and cannot be told what a dead worker was at: ask again.
        """
        if state is WorkerState.FAILED:  # it knew why it gave up, and so would the next one
            return None
        if state is WorkerState.DIED:
            self._take_up(handle.id)
        waiting = any(attempt.waits for attempt in self.launch.directory.attempts().values())
        tries = self.restarts.get(handle.id, 0)
        if self.launch.directory.ended() or tries >= RESTARTS or not (waiting or state is WorkerState.DIED):
            return None
        self.restarts[handle.id] = tries + 1
        self.launch.directory.note_restart(handle.id)
        slot = next(slot for slot in self.launch.slots if slot.name == handle.id)
        return self.launcher.replace(handle, self.launch.worker_spec(slot))

    def _check_data(self) -> None:
        for path in filter(_is_gone, self.launch.needs):
            fix = "start anew: sweeper create, sweeper launch"
            raise LaunchError(f"{path} was deleted or moved away: the launch ends, and its runs with it", fix)

    def clear(self, states: Mapping[str, WorkerState]) -> None:
        """End what dead workers left running, and hand their runs out again."""
        self.launcher.end_strays(spare=self.scheduler.pids)
        self._check_data()  # of which a worker may have died before anybody looked
        for slot, state in states.items():
            if state is WorkerState.DIED:
                with contextlib.suppress(BackendError):  # the next launch takes it up
                    self._recover(slot)

    def _take_up(self, slot: str) -> None:
        """Clear what a worker left that died; where the server is away, look for it every few seconds."""
        if time.monotonic() < self.away_until:
            raise BackendError("the server is away")
        self.clear({})
        try:
            self._recover(slot)
        except BackendError:
            self.away_until = time.monotonic() + AWAY_S
            raise

    def _recover(self, slot: str) -> None:
        recover_slot(self.launch.ref, self.launch.directory, slot, retries=self.launch.rules.retries)


def _is_gone(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # a network disk may hang for a moment
        return False
    return False


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


def _last_line(log: Path) -> str:
    """Read why a worker gave up: the last thing it says."""
    lines = [line for line in tail(log).splitlines() if line.strip()]
    why = lines[-1] if lines else "it ended without a word"
    hiding = _hiding(Path.cwd()) if "Error" in why else ""
    return f"{why}{hiding} (log: {log})"


def _hiding(folder: Path) -> str:
    """Name the files of a folder that hide modules of Python's own, which what breaks in a worker may be due to."""
    names = sorted(path.name for path in folder.glob("*.py") if path.stem in sys.stdlib_module_names)
    return f"; {', '.join(names)} in this folder hides a module of Python: give it another name" if names else ""
