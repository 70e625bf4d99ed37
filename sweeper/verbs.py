"""What `sweeper` does, as functions: the command line and Python scripts call the same ones."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from sweeper import wandb_client
from sweeper.definition import SweepDefinition
from sweeper.errors import BackendError, LaunchError, SweeperError
from sweeper.gpus import list_gpus, visible
from sweeper.launch.base import LaunchDir, Slot, SweepDir, WorkerSpec, WorkerState
from sweeper.launch.local import LocalLauncher
from sweeper.launch.plan import plan_slots
from sweeper.launch.supervisor import supervise
from sweeper.record import Outcome, RunRecord
from sweeper.ref import SweepRef
from sweeper.session import DEFAULT_PROJECT, LastSweep, remember
from sweeper.settings import Backend, Settings
from sweeper.status import SweepStatus, summarise
from sweeper.trainers import choose_trainer

GRACE_S = 30.0
POLL_S = 2.0


# Create


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A registered sweep.

    Attributes:
        ref: Its name.
        url: Its page.
        expected_runs: How many runs it will have; None if unbounded.
    """

    ref: SweepRef
    url: str
    expected_runs: int | None


def create(
    definition: SweepDefinition,
    *,
    settings: Settings,
    backend: Backend,
    entity: str | None = None,
    project: str | None = None,
    prior_runs: Sequence[str] = (),
    ignore_extensions: bool = False,
) -> Created:
    """Register a sweep; what is given here wins over the environment, and that over the file.

    Args:
        definition: The sweep.
        settings: The user's environment.
        backend: The server.
        entity: Whose it will be, on a W&B server.
        project: Where it will be.
        prior_runs: Ids of earlier runs of the project that the search starts from.
        ignore_extensions: Leave out what is under `sweeper:` if the server does not know it.

    Raises:
        BackendError: The server refuses it, or cannot honour what the file has under `sweeper:`.
    """
    if definition.sweeper.used and not wandb_client.speaks_sweeper(backend):
        definition = _without_extensions(definition, backend, ignore=ignore_extensions)
    if backend.kind == "wandb":
        entity = entity or settings.entity or definition.entity
        project = project or settings.project
    project = project or definition.project or DEFAULT_PROJECT
    ref = wandb_client.register(definition, entity=entity, project=project, prior_runs=prior_runs)
    SweepDir.of(settings.home, ref).path.mkdir(parents=True, exist_ok=True)
    remember(settings, LastSweep(ref.path, backend.kind, backend.base_url))
    return Created(ref=ref, url=wandb_client.page(ref), expected_runs=definition.expected_runs)


def _without_extensions(definition: SweepDefinition, backend: Backend, *, ignore: bool) -> SweepDefinition:
    if not ignore:
        keys = ", ".join(f"`{key}`" for key in definition.sweeper.used)
        message = f"{backend.base_url} is no sweeper server: it cannot honour {keys} under `sweeper:`"
        fix = "use --backend local, take them out, or give --ignore-extensions to create the sweep without them"
        raise BackendError(message, fix)
    data = definition.to_dict()
    del data["sweeper"]
    return SweepDefinition.model_validate(data)


# Status


class StatusReader:
    """Reads the status of one sweep, again and again.

    Args:
        ref: The sweep.
        settings: The user's environment.

    Attributes:
        program: The file's `program:`, known after the first read.
    """

    def __init__(self, ref: SweepRef, settings: Settings) -> None:
        self.ref = ref
        self.directory = SweepDir.of(settings.home, ref)
        self.program: str | None = None
        self._reader = wandb_client.SweepReader(ref)

    def read(self, *, weigh: bool = False) -> SweepStatus:
        """Ask the server, and read what this machine's workers wrote.

        Args:
            weigh: Whether to tell how much each parameter mattered.

        Raises:
            SweepNotFoundError: The server does not know the sweep.
            BackendError: It does not answer.
        """
        view = self._reader.read()
        self.program = view.definition.program
        return summarise(
            view.definition,
            view.runs,
            self.directory.records(),
            ref=self.ref,
            state=view.state,
            url=view.url,
            now=datetime.now(UTC),
            models=self.directory.models(),
            weigh=weigh,
        )

    def fetch_model(self, status: SweepStatus) -> None:
        """Download the best run's ONNX files, unless they are here already."""
        if status.best is not None and not status.model:
            wandb_client.download(self.ref.run(status.best.id), ".onnx", self.directory.best_of(status.best.id))


# Launch


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A launch, prepared: nothing has been started.

    Attributes:
        ref: The sweep.
        trainer: `package.module:function`.
        slots: Where its runs go.
        directory: What its workers write to.
        count: Runs over all slots; None for as many as the sweep has.
        grace_s: How long a run may take to end after a gentle stop.
        environ: The workers' environment.
        before: The sweep as it was.
    """

    ref: SweepRef
    trainer: str
    slots: tuple[Slot, ...]
    directory: LaunchDir
    count: int | None
    grace_s: float
    environ: Mapping[str, str]
    before: SweepStatus


def plan_machine(settings: Settings, *, gpus: str | None, workers: int | None) -> list[Slot]:
    """Decide this machine's slots.

    Raises:
        NoGpuError: A GPU is asked for that the machine does not have.
    """
    found = list_gpus()
    if gpus is None:
        found = visible(found, settings.environ.get("CUDA_VISIBLE_DEVICES"))
    return plan_slots(found, requested=gpus, workers=workers, cores=_cores())


def _cores() -> int:
    """Count the cores this process may use; a container or a Slurm job may have fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepare_launch(
    reader: StatusReader,
    *,
    settings: Settings,
    backend: Backend,
    slots: list[Slot],
    trainer: str | None = None,
    count: int | None = None,
    grace_s: float = GRACE_S,
) -> Launch:
    """Check that the sweep can run, and make the launch's directory.

    Raises:
        LaunchError: The sweep has ended, or WANDB_MODE keeps runs from the server.
        TrainerError: There is no such trainer.
    """
    status = reader.read()
    if status.state.ended:
        fix = f"open it again: sweeper resume {reader.ref}" if status.total != status.done else "create another one"
        raise LaunchError(f"sweep {reader.ref} is {status.state.value.lower()}: {status.done} runs are done", fix)
    target = choose_trainer(trainer, reader.program)
    env = backend.environ(settings.environ)
    if (mode := env.get("WANDB_MODE")) in {"offline", "disabled", "dryrun"}:
        fix = "unset WANDB_MODE, or take the embedded server, which needs no network: --backend local"
        raise LaunchError(f"WANDB_MODE is {mode}: no run would reach {backend.base_url}", fix)
    env.setdefault("WANDB_DIR", str(reader.directory.wandb))
    Path(env["WANDB_DIR"]).mkdir(parents=True, exist_ok=True)
    return Launch(
        ref=reader.ref,
        trainer=target,
        slots=tuple(slots),
        directory=reader.directory.new_launch(),
        count=count,
        grace_s=grace_s,
        environ=env,
        before=status,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchResult:
    """How a launch ended.

    Attributes:
        runs: What its workers wrote about their runs.
        interrupted: Whether it was stopped by a signal.
        errors: Why workers gave up, by slot.
    """

    runs: tuple[RunRecord, ...]
    interrupted: bool
    errors: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether every run ended well and every worker worked to the end."""
        bad = {Outcome.FAILED, Outcome.DIED, Outcome.INTERRUPTED, None}
        return not self.errors and not self.interrupted and not any(run.outcome in bad for run in self.runs)


def run_launch(launch: Launch, *, tick: Callable[[], None], on_stop: Callable[[int], None]) -> LaunchResult:
    """Start the workers and stay until all have ended; Ctrl-C stops gently, a second one kills.

    Args:
        launch: What to start.
        tick: Called several times a second from this thread.
        on_stop: Told of every Ctrl-C, with how many there were.
    """
    launcher = LocalLauncher(launch.environ)
    with _signals() as (pending, seen):
        handles = launcher.start([_spec(launch, slot) for slot in launch.slots])
        states = supervise(launcher, handles, signals=pending, grace_s=launch.grace_s, tick=tick, on_stop=on_stop)
    failed = [slot for slot, state in states.items() if state is WorkerState.FAILED]
    return LaunchResult(
        runs=tuple(launch.directory.records().values()),
        interrupted=bool(seen),
        errors={} if seen else {slot: _last_line(launch.directory.worker_log(slot)) for slot in failed},
    )


def _spec(launch: Launch, slot: Slot) -> WorkerSpec:
    return WorkerSpec(
        sweep=launch.ref.path,
        trainer=launch.trainer,
        slot=slot,
        count=launch.count,
        directory=str(launch.directory.path),
        grace_s=launch.grace_s,
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
