"""A sweep registered with a W&B server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper import private_files
from sweeper.backend import private_project, sdk
from sweeper.backend.choose import DEFAULT_PROJECT, LastSweep, remember
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError
from sweeper.journal.directories import SweepDir
from sweeper.machine_errors import refusal
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A registered sweep.

    Attributes:
        ref: Its name.
        url: Its page.
        expected_runs: How many runs it will have; None if unbounded.
        trouble: Why this machine could not note it as the sweep created last; empty if it did.
    """

    ref: SweepRef
    url: str
    expected_runs: int | None
    trouble: str = ""


def create(
    definition: SweepDefinition,
    *,
    settings: Settings,
    backend: Backend,
    entity: str | None = None,
    project: str | None = None,
    prior_runs: Sequence[str] = (),
    ignore_extensions: bool = False,
    private: bool = False,
    as_last: bool = True,
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
        private: Make the project its owner's alone, unless it is so already.
        as_last: Whether the commands that are given no sweep take this one from now on.

    Raises:
        BackendError: The server refuses it, or cannot honour what the file has under `sweeper:`.
    """
    # a server that does not know `sweeper:` would ignore it in silence, and search something else than was asked for
    if definition.sweeper.used and not sdk.speaks_sweeper(backend):
        if not ignore_extensions:
            raise _cannot_honour(definition, backend)
        definition = without_extensions(definition)
    if definition.metrics and definition.scheduler is None and not sdk.speaks_sweeper(backend):
        fix = "use --backend local, or add `scheduler: {engine: optuna}`"
        raise BackendError(f"{backend.base_url} is no sweeper server: it cannot search for several metrics", fix)
    if backend.kind == "wandb":  # the variables name things there, and not on the embedded server
        entity = entity or settings.entity or definition.entity
        project = project or settings.project
    project = project or definition.project or DEFAULT_PROJECT
    if private:
        private_project.make(backend, settings, entity=entity, project=project)
    ref = sdk.register(definition, entity=entity, project=project, prior_runs=prior_runs)
    trouble = _note(settings, ref, backend, as_last=as_last)
    return Created(ref=ref, url=sdk.page(ref), expected_runs=definition.expected_runs, trouble=trouble)


def _note(settings: Settings, ref: SweepRef, backend: Backend, *, as_last: bool) -> str:
    """Note a sweep on this machine; say why that failed, as the sweep is there all the same."""
    try:
        # by this folder a bare id is found again
        private_files.make_folder(SweepDir.of(settings.home, ref).path)
        if as_last:
            remember(settings, LastSweep(ref.path, backend.kind, backend.base_url))
    except OSError as error:
        return refusal(error).message
    return ""


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
