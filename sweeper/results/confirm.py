"""The sweeps that confirm another one: which of them there are, and those that are missing, registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from filelock import FileLock, Timeout

from sweeper import private_files
from sweeper.backend.any_sweeps import AnySweepReader, own_server, read_run
from sweeper.backend.create import create
from sweeper.backend.sweep_view import SweepView
from sweeper.definition.declaration import Declaration
from sweeper.definition.program import Choice
from sweeper.definition.seed_parameter import SeedParameter, find
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import ResultError
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.confirm_plan import ConfirmPlan, check, plan
from sweeper.results.confirmation_reader import ConfirmationReader
from sweeper.run import best_run
from sweeper.settings import Backend, Settings

LOCKED_S = 60.0
"""How long another `sweeper confirm` may take to register its sweeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRequest:
    """What a person asks for.

    Attributes:
        top: How many configurations.
        seeds: How many seeds of each.
        seed_parameter: The parameter that is the seed; None to look for it.
        choice: What trains, where its text is on this machine: for the search; None to look nowhere.
        trainer: What the trainer declares; None if it declares nothing that may be read here.
        accept: Looks at a sweep before it is registered, and raises what is wrong with it.
    """

    top: int
    seeds: int
    seed_parameter: str | None
    choice: Choice | None
    trainer: Declaration | None
    accept: Callable[[SweepDefinition], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """The runs that confirm a sweep, registered.

    Attributes:
        plan: What was missing.
        seed: The parameter that is the seed, and how it was found.
        sweeps: Those that have runs to give, the oldest first.
        going_on: How many of these had been registered before.
        is_running: Whether the sweep that is confirmed still runs, so that its best may change.
    """

    plan: ConfirmPlan
    seed: SeedParameter
    sweeps: tuple[SweepRef, ...]
    going_on: int
    is_running: bool


def prepare(
    view: SweepView, definition: SweepDefinition, request: ConfirmRequest, *, settings: Settings, backend: Backend
) -> Confirming:
    """Register the runs that are missing.

    Raises:
        ResultError: There is nothing to confirm, or nothing that could be a seed.
        TrainerError: The trainer does not know the seed that was named.
        BackendError: The server does not answer, or refuses a sweep.
    """
    check(view, definition)
    directory = SweepDir.of(settings.home, view.ref)
    private_files.make_folder(directory.path)
    try:
        with FileLock(directory.confirm_lock, timeout=LOCKED_S, mode=0o600):
            # read anew: another one may have registered them while this one waited
            view = AnySweepReader(view.ref, settings, backend).read()
            return _register(view, definition, request, settings=settings, backend=backend)
    except Timeout as error:
        raise ResultError(f"another `sweeper confirm` of {view.ref} is at work", "wait for it, or end it") from error


def _register(
    view: SweepView, definition: SweepDefinition, request: ConfirmRequest, *, settings: Settings, backend: Backend
) -> Confirming:
    is_ours = own_server(backend, settings) is not None
    earlier = ConfirmationReader(settings, backend).confirming(view)
    config = _config(view, definition, settings, backend)
    asked = request.seed_parameter
    if asked is None and earlier:
        ran = [one for one in earlier if one.runs] or earlier
        seed = SeedParameter(ran[-1].seed, "as before")
    else:
        seed = find(definition, asked, trainer=request.trainer, config=config, choice=request.choice)
    found = plan(
        view,
        definition,
        [one for one in earlier if one.seed == seed.name],
        seed=seed.name,
        top=request.top,
        seeds=request.seeds,
        config=config,
        together=is_ours,
    )
    for new in found.new:
        request.accept(new)
    made = [_create(view.ref, new, settings, backend, noted=not is_ours) for new in found.new]
    return Confirming(
        plan=found,
        seed=seed,
        sweeps=(*(SweepRef(view.ref.entity, view.ref.project, one.sweep) for one in found.open), *made),
        going_on=len(found.open),
        is_running=not view.state.ended,
    )


def _create(ref: SweepRef, new: SweepDefinition, settings: Settings, backend: Backend, *, noted: bool) -> SweepRef:
    made = create(new, settings=settings, backend=backend, entity=ref.entity, project=ref.project, as_last=False).ref
    if noted:  # W&B's server does not tell which sweeps confirm one
        SweepDir.of(settings.home, ref).note_confirming(made.sweep_id)
    return made


def _config(view: SweepView, definition: SweepDefinition, settings: Settings, backend: Backend) -> Mapping[str, Any]:
    """Read the whole config of the best run, with what its trainer has written there."""
    best = best_run((run for run in view.runs if not run.prior and run.state.ended), definition.goal)
    return read_run(view.ref.run(best.id), settings, backend)[0] if best else {}
