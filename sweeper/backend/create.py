"""What `sweeper` does, as functions: the command line and Python scripts call the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sweeper.backend import sdk
from sweeper.backend.choose import DEFAULT_PROJECT, LastSweep, remember
from sweeper.backend.sweep_reader import SweepReader
from sweeper.definition.metric import Scheduler
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError
from sweeper.launch.cores import usable_cores
from sweeper.launch.gpus import find_gpus
from sweeper.launch.launcher import SweepDir
from sweeper.launch.plan import Asked, Plan, plan_slots
from sweeper.ref import SweepRef
from sweeper.results.status import SweepStatus, summarise
from sweeper.settings import Backend, Settings

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
    if definition.sweeper.used and not sdk.speaks_sweeper(backend):
        if not ignore_extensions:
            raise _cannot_honour(definition, backend)
        definition = without_extensions(definition)
    if definition.metrics and definition.scheduler is None and not sdk.speaks_sweeper(backend):
        fix = "use --backend local, or add `scheduler: {engine: optuna}`"
        raise BackendError(f"{backend.base_url} is no sweeper server: it cannot search for several metrics", fix)
    if backend.kind == "wandb":
        entity = entity or settings.entity or definition.entity
        project = project or settings.project
    project = project or definition.project or DEFAULT_PROJECT
    ref = sdk.register(definition, entity=entity, project=project, prior_runs=prior_runs)
    SweepDir.of(settings.home, ref).path.mkdir(parents=True, exist_ok=True)
    remember(settings, LastSweep(ref.path, backend.kind, backend.base_url))
    return Created(ref=ref, url=sdk.page(ref), expected_runs=definition.expected_runs)


def _cannot_honour(definition: SweepDefinition, backend: Backend) -> BackendError:
    keys = ", ".join(f"`{key}`" for key in definition.sweeper.used)
    message = f"{backend.base_url} is no sweeper server: it cannot honour {keys} under `sweeper:`"
    fix = "use --backend local, take them out, or give --ignore-extensions to create the sweep without them"
    return BackendError(message, fix)


def without_extensions(definition: SweepDefinition) -> SweepDefinition:
    """Leave out what a file has under `sweeper:`, for a server that does not know it."""
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
        command: The file's `command:`, likewise.
        scheduler: The file's `scheduler:`, likewise.
    """

    def __init__(self, ref: SweepRef, settings: Settings) -> None:
        self.ref = ref
        self.directory = SweepDir.of(settings.home, ref)
        self.program: str | None = None
        self.command: Sequence[object] = ()
        self.scheduler: Scheduler | None = None
        self._reader = SweepReader(ref)

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
        self.command = view.definition.command or ()
        self.scheduler = view.definition.scheduler
        return summarise(
            view.definition,
            view.runs,
            self.directory.records(),
            ref=self.ref,
            state=view.state,
            url=view.url,
            now=datetime.now(UTC),
            models=self.directory.models(),
            launchers=self.directory.launchers(),
            scheduler_heard_at=view.scheduler_heard_at,
            weigh=weigh,
        )

    def fetch_model(self, status: SweepStatus) -> None:
        """Download the best run's ONNX files, unless they are here already."""
        if status.best is not None and not status.model:
            sdk.download(self.ref.run(status.best.id), ".onnx", self.directory.best_of(status.best.id))


# Launch


def plan_machine(settings: Settings, asked: Asked) -> Plan:
    """Decide this machine's slots.

    Raises:
        NoGpuError: A GPU is asked for that the machine does not have or cannot give.
        LaunchError: Options exclude each other.
    """
    mask = settings.environ.get("CUDA_VISIBLE_DEVICES")
    return plan_slots(find_gpus(), asked, mask=mask, cores=usable_cores())
