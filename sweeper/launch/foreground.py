"""A launch: prepared, run to its end on this machine, and judged."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from sweeper.backend.sdk import speaks_sweeper
from sweeper.definition.program import choose_trainer, find_script
from sweeper.errors import LaunchError, SweeperError
from sweeper.journal.attempt import Attempt, Outcome
from sweeper.journal.directories import LaunchDir
from sweeper.journal.failures import RETRIES
from sweeper.launch import sweep_scheduler
from sweeper.launch.cores import usable_cores
from sweeper.launch.gpus import find_gpus
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.launch.local import LocalLauncher
from sweeper.launch.plan import Asked, Plan, plan_slots
from sweeper.launch.recovery import recover_slot, recover_sweep
from sweeper.launch.supervisor import supervise
from sweeper.launch.sweep_scheduler import SchedulerProcess
from sweeper.ref import SweepRef
from sweeper.results.status import SweepStatus
from sweeper.results.status_reader import StatusReader
from sweeper.settings import Backend, Settings
from sweeper.worker.spec import Slot, WorkerSpec

POLL_S = 2.0
RESTARTS = 3
"""How often the worker of a slot is started again after it died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a launch does about runs that fail or take too long.

    Attributes:
        grace_s: How long a run may take to end after a gentle stop.
        retries: How often a run that failed for no fault of its own is handed out again.
        max_failures: So many failed runs in a row end the launch; None for no such limit.
        timeout_s: How long a run may take; None for as long as it likes.
        time_budget_s: How long the launch may take; None for as long as it likes.
        stop_at_target: Whether no run starts any more once one has reached the metric's target.
        isolated: Whether every run has a process of its own.
    """

    grace_s: float = 30.0
    retries: int = RETRIES
    max_failures: int | None = None
    timeout_s: float | None = None
    time_budget_s: float | None = None
    stop_at_target: bool = False
    isolated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A launch, prepared: nothing has been started.

    Attributes:
        ref: The sweep.
        trainer: `package.module:function`, or a script.
        script: Whether it is a script.
        slots: Where its runs go.
        directory: What its workers write to.
        count: Runs over all slots; None for as many as the sweep has.
        rules: What it does about failures.
        environ: The workers' environment.
        before: The sweep as it was.
        recovered: Runs of killed launches that were handed out again.
        scheduler: Whether the sweep has a scheduler of its own, which this launch starts where none is at work.
    """

    ref: SweepRef
    trainer: str
    script: bool
    slots: tuple[Slot, ...]
    directory: LaunchDir
    count: int | None
    rules: Rules
    environ: Mapping[str, str]
    before: SweepStatus
    recovered: tuple[Attempt, ...] = ()
    scheduler: bool = False


def prepare_launch(
    reader: StatusReader,
    *,
    settings: Settings,
    backend: Backend,
    slots: Sequence[Slot],
    trainer: str | None = None,
    count: int | None = None,
    rules: Rules | None = None,
) -> Launch:
    """Check that the sweep can run, take up what a killed launch left behind, and make the launch's directory.

    Raises:
        LaunchError: The sweep has ended, it has no target to stop at, WANDB_MODE keeps runs from the server, or its
            scheduler cannot work here.
        TrainerError: There is no such trainer.
    """
    rules = rules or Rules()
    status = reader.read()
    script = find_script(trainer, reader.program, reader.command)
    target = script or choose_trainer(trainer, reader.program)
    env = backend.environ(settings.environ)
    if (mode := env.get("WANDB_MODE")) in {"offline", "disabled", "dryrun"}:
        fix = "unset WANDB_MODE, or take the embedded server, which needs no network: --backend local"
        raise LaunchError(f"WANDB_MODE is {mode}: no run would reach {backend.base_url}", fix)
    if rules.stop_at_target and status.facts.target is None:
        raise LaunchError(f"sweep {reader.ref} has no target to stop at", "give its file a `target:` under `metric:`")
    starts_scheduler = reader.scheduler is not None and speaks_sweeper(backend)
    if reader.scheduler is not None and starts_scheduler and not status.search.scheduler_at_work:
        sweep_scheduler.check(reader.scheduler)
    recovered = recover_sweep(reader.ref, reader.directory, status.runs, retries=rules.retries)
    directory = reader.directory.new_launch()
    if recovered:
        status = reader.read()
    state, progress = status.facts.state, status.progress
    if state.ended:
        fix = f"open it again: sweeper resume {reader.ref}" if progress.total != progress.done else "create another one"
        raise LaunchError(f"sweep {reader.ref} is {state.value.lower()}: {progress.done} runs are done", fix)
    env.setdefault("WANDB_QUIET", "true")  # the log is the trainer's
    env.setdefault("WANDB_DIR", str(reader.directory.wandb))
    Path(env["WANDB_DIR"]).mkdir(parents=True, exist_ok=True)
    return Launch(
        ref=reader.ref,
        trainer=target,
        script=script is not None,
        slots=tuple(slots),
        directory=directory,
        count=count,
        rules=rules,
        environ=env,
        before=status,
        recovered=tuple(recovered),
        scheduler=starts_scheduler,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchResult:
    """How a launch ended.

    Attributes:
        runs: What its workers wrote about their runs.
        interrupted: Whether it was stopped by a signal.
        errors: Why workers gave up, by slot.
        ended: Why no other run was started, if there was a reason.
        planned: Whether that reason is an end that was asked for, such as a time budget.
    """

    runs: tuple[Attempt, ...]
    interrupted: bool
    errors: Mapping[str, str]
    ended: str = ""
    planned: bool = False

    @property
    def ok(self) -> bool:
        """Whether every run ended well and every worker worked to the end."""
        bad = {Outcome.FAILED, Outcome.DIED, None} | (set() if self.planned else {Outcome.INTERRUPTED})
        early = self.interrupted or (self.ended and not self.planned)
        return not self.errors and not early and not any(run.outcome in bad for run in self.runs)


def run_launch(
    launch: Launch,
    *,
    tick: Callable[[], None],
    on_stop: Callable[[int], None],
    latest: Callable[[], SweepStatus | None] = lambda: None,
) -> LaunchResult:
    """Start the workers and stay until all have ended; Ctrl-C stops gently, a second one kills.

    Args:
        launch: What to start.
        tick: Called several times a second from this thread.
        on_stop: Told of every Ctrl-C, with how many there were.
        latest: Gives the sweep's status, a few seconds old at most.
    """
    launcher = LocalLauncher(launch.environ)
    log = launch.directory.path / "scheduler.log"
    scheduler = SchedulerProcess(launch.ref, launch.environ, log, runs=len(launch.slots))
    with _signals() as (pending, seen), launch.directory.held(), contextlib.closing(scheduler):
        watch = Watch(launch, launcher, latest, stop=lambda: pending.append(signal.SIGTERM), scheduler=scheduler)

        def turn() -> None:
            watch.turn()
            tick()

        handles = launcher.start([_spec(launch, slot) for slot in launch.slots])
        states = supervise(
            launcher,
            handles,
            signals=pending,
            grace_s=launch.rules.grace_s,
            tick=turn,
            on_stop=lambda asked: on_stop(asked) if seen else None,
            replace=watch.replace,
        )
        watch.clear(states)
    failed = [slot for slot, state in states.items() if state in {WorkerState.FAILED, WorkerState.DIED}]
    return LaunchResult(
        runs=tuple(launch.directory.records().values()),
        interrupted=bool(seen),
        errors={} if seen else {slot: _last_line(launch.directory.worker_log(slot)) for slot in failed},
        ended=launch.directory.ended(),
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
    launcher: LocalLauncher
    latest: Callable[[], SweepStatus | None]
    stop: Callable[[], None]
    scheduler: SchedulerProcess
    planned: bool = False
    began: float = field(default_factory=time.monotonic)
    restarts: dict[str, int] = field(default_factory=dict)

    def turn(self) -> None:
        """Look at the clock and at the sweep."""
        rules, status = self.launch.rules, self.latest()
        if rules.time_budget_s and time.monotonic() - self.began > rules.time_budget_s and not self.planned:
            self._end("the time budget is used up")
            self.stop()
        if (why := self.scheduler.failure()) and not self.launch.directory.ended():
            self.launch.directory.end(why)
            self.stop()
        if status is None:
            return
        if self.launch.scheduler and self.scheduler.process is None and not status.search.scheduler_at_work:
            self.launcher.family.keep([self.scheduler.start()])
        if rules.stop_at_target and status.reached_target and not self.planned:
            self._end("a run has reached the target")
        for run in status.runs:
            if run.told_to_stop:
                self.launch.directory.order_stop(run.id)

    def _end(self, why: str) -> None:
        self.planned = True
        self.launch.directory.end(why)

    def replace(self, handle: WorkerHandle, state: WorkerState) -> WorkerHandle | None:
        """Take up what a dead worker left behind, and start another one if there is work for it."""
        if state is WorkerState.FAILED:
            return None
        if state is WorkerState.DIED:
            self.clear({handle.id: state})
        waiting = any(record.waits for record in self.launch.directory.records().values())
        tries = self.restarts.get(handle.id, 0)
        if self.launch.directory.ended() or tries >= RESTARTS or not (waiting or state is WorkerState.DIED):
            return None
        self.restarts[handle.id] = tries + 1
        slot = next(slot for slot in self.launch.slots if slot.name == handle.id)
        return self.launcher.start([_spec(self.launch, slot)])[0]

    def clear(self, states: Mapping[str, WorkerState]) -> None:
        """End what dead workers left running, and hand their runs out again."""
        self.launcher.family.end_strays()
        for slot, state in states.items():
            if state is WorkerState.DIED:
                with contextlib.suppress(SweeperError):  # the next launch takes it up
                    recover_slot(self.launch.ref, self.launch.directory, slot, retries=self.launch.rules.retries)


def _spec(launch: Launch, slot: Slot) -> WorkerSpec:
    return WorkerSpec(
        sweep=launch.ref.path,
        trainer=launch.trainer,
        script=launch.script,
        slot=slot,
        count=launch.count,
        directory=str(launch.directory.path),
        grace_s=launch.rules.grace_s,
        retries=launch.rules.retries,
        max_failures=launch.rules.max_failures,
        timeout_s=launch.rules.timeout_s,
        isolated=launch.rules.isolated,
    )


@contextmanager
def _signals() -> Iterator[tuple[list[int], list[int]]]:
    """Collect SIGINT and SIGTERM: the list to act on, and all there were."""
    pending: list[int] = []
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        pending.append(number)
        seen.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pending, seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"{lines[-1] if lines else 'it ended without a word'} (log: {log})"


class StatusPoller:
    """Keeps a sweep's status fresh in a thread: a slow server must not delay a Ctrl-C.

    Args:
        reader: Where from.
    """

    def __init__(self, reader: StatusReader) -> None:
        self._reader = reader
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self.latest: SweepStatus | None = None
        self.trouble = ""

    def read(self) -> SweepStatus | None:
        """Ask once; keep the last answer where there is no new one."""
        try:
            self.latest, self.trouble = self._reader.read(), ""
        except SweeperError as error:  # a server that restarts is back in a moment
            self.trouble = error.message
        return self.latest

    def _poll(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            self.read()
            # reading takes the server's time and ours: at most a tenth of it
            self._ended.wait(max(POLL_S, 9 * (time.monotonic() - began)))

    def __enter__(self) -> StatusPoller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=60)


def plan_machine(settings: Settings, asked: Asked) -> Plan:
    """Decide this machine's slots.

    Raises:
        NoGpuError: A GPU is asked for that the machine does not have or cannot give.
        LaunchError: Options exclude each other.
    """
    mask = settings.environ.get("CUDA_VISIBLE_DEVICES")
    return plan_slots(find_gpus(), asked, mask=mask, cores=usable_cores())
