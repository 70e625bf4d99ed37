"""`sweeper confirm`: the best configurations once more with other seeds, so that the winner is not luck."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeper.cli.launch import DEFAULTS, LaunchPlace, check_gpus_are_one_word, find_place, run_sweep
from sweeper.cli.launch_options import (
    Gpus,
    GpusPerRun,
    PerGpu,
    Python,
    Retries,
    Share,
    Timeout,
    Trainer,
    Workers,
    seconds,
)
from sweeper.cli.launch_screen import STARTING, moving
from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import err, escape, print_json, say_next, warn
from sweeper.cli.target import Target, find_target
from sweeper.definition import interpreter
from sweeper.errors import TrainerError
from sweeper.settings import Settings
from sweeper.worker.spec import Rules

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition
    from sweeper.results.confirm import Confirming, ConfirmRequest
    from sweeper.search.confirmation import Confirmation

MAX_TOP, MAX_SEEDS = 100, 1000

Top = Annotated[int, typer.Option(metavar="N", min=1, max=MAX_TOP, help="How many of the best configurations.")]
Seeds = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=2,
        max=MAX_SEEDS,
        help="How many other seeds each is to have had in the end; what earlier confirmations ran counts.",
    ),
]
SeedParameter = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The trainer's parameter that is its seed; looked for by name (seed, random_seed, ...) if left out.",
    ),
]
NoLaunch = Annotated[bool, typer.Option("--no-launch", help="Register the runs and start none: `sweeper launch` does.")]


def confirm(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    top: Top = 3,
    seeds: Seeds = 5,
    seed_parameter: SeedParameter = None,
    gpus: Gpus = None,
    per_gpu: PerGpu = None,
    gpus_per_run: GpusPerRun = None,
    share: Share = False,
    workers: Workers = None,
    trainer: Trainer = None,
    python: Python = None,
    retries: Retries = DEFAULTS.retries,
    timeout: Timeout = None,
    no_launch: NoLaunch = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Run the best configurations again with other seeds, and say which differences are more than noise.

    They run in a sweep of their own, each to its end. The same command goes on where one was stopped or killed.

    Example: sweeper confirm --top 3 --seeds 5
    """
    err.print("[dim]looking at the sweep ...[/]", soft_wrap=True)  # before all that takes a moment
    check_gpus_are_one_word(gpus, sweep)
    rules = Rules(retries=retries, timeout_s=seconds(timeout, "--timeout"))
    asked = {"gpus": gpus, "workers": workers, "per_gpu": per_gpu, "gpus_per_run": gpus_per_run, "share": share}
    place = None if no_launch else find_place(Settings.from_env(), **asked)  # before anything is registered
    target = find_target(sweep, backend)
    chosen = {"trainer": trainer, "python": python}
    found = _prepare(target, chosen, launches=not no_launch, top=top, seeds=seeds, seed_parameter=seed_parameter)
    _announce(found, target, top=top, seeds=seeds)
    code = 0
    if place is not None:
        # nothing but the answer stands on stdout, and a launch says there how its sweep went
        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            code = _launch(found, target, place, **chosen, rules=rules)
    _show(found, target, as_json=as_json, launched=place is not None, options=interpreter.option(python))
    if code:
        raise typer.Exit(code)


def _prepare(
    target: Target,
    chosen: Mapping[str, str | None],
    *,
    launches: bool,
    top: int,
    seeds: int,
    seed_parameter: str | None,
) -> Confirming:
    """Register what is missing."""
    from sweeper.backend.any_sweeps import AnySweepReader  # here for the reason in target.py
    from sweeper.backend.disk_room import ROOM_FOR_ROWS
    from sweeper.results.confirm import prepare

    target.check_room(ROOM_FOR_ROWS)
    view = AnySweepReader(target.ref, target.settings, target.backend).read()
    definition = view.whole_definition
    request = _request(target, definition, **chosen, launches=launches)(
        top=top, seeds=seeds, seed_parameter=seed_parameter
    )
    return prepare(view, definition, request, settings=target.settings, backend=target.backend)


def _request(
    target: Target, definition: SweepDefinition, *, trainer: str | None, python: str | None, launches: bool
) -> partial[ConfirmRequest]:
    """Look at the trainer: what it declares, and whether a sweep of ours would suit it."""
    from sweeper.definition.declaration import declared
    from sweeper.definition.program import choose
    from sweeper.definition.trainer_check import against, settle
    from sweeper.results.confirm import ConfirmRequest

    choice = choose(trainer, definition.program, definition.command or ())
    declares = declared(trainer, None if choice.command else choice.target)
    environ = interpreter.chosen(python, target.backend.environ(target.settings.environ))

    def accept(new: SweepDefinition) -> None:
        wrong = [one for one in (against(new, declares) if declares else ()) if one.is_error]
        if wrong:
            raise TrainerError(wrong[0].message, wrong[0].fix)
        if launches:
            settle(new, trainer, environ)

    return partial(ConfirmRequest, choice=choice, trainer=declares, accept=accept)


def _announce(found: Confirming, target: Target, *, top: int, seeds: int) -> None:
    """Say what will run, and why that."""
    from sweeper.readable import number, runs_word
    from sweeper.results.labels import label, varying

    plan = found.plan
    names = varying(one.params for one in plan.finalists)
    what = "its best configuration" if len(plan.finalists) == 1 else f"its {len(plan.finalists)} best configurations"
    err.print(f"confirming {escape(target.ref.path)}: {what} with {seeds} other seeds each", soft_wrap=True)
    err.print(f"seed: {escape(found.seed.name)} ({escape(found.seed.why)})", soft_wrap=True)
    for place, one in enumerate(plan.finalists, start=1):
        mean = f", the mean of {runs_word(one.runs)}" if one.runs > 1 else ""
        line = f"{place:3}  {number(one.value)}{mean}  {label(one.params, names)}"
        err.print(escape(line), soft_wrap=True)
    if len(plan.finalists) < top:
        warn(f"--top {top}: the sweep has {len(plan.finalists)} with a value")
    if found.is_running:
        warn("the sweep still goes on: its best configurations may become others")
    if found.going_on:
        err.print("going on with what was registered before", soft_wrap=True)
    if not found.sweeps:
        err.print(f"each of them has had its {seeds} seeds; for more: --seeds {2 * seeds}", soft_wrap=True)
    elif sum(plan.seeds):
        err.print(f"registered {runs_word(sum(plan.seeds))}", soft_wrap=True)


def _launch(found: Confirming, target: Target, place: LaunchPlace, **options: Any) -> int:
    """Run the sweeps one after the other; give the exit code of the first that does not end well."""
    for ref in found.sweeps:
        find = partial(Target, target.settings, target.backend, ref)
        try:
            with moving(STARTING) as starting:
                run_sweep(find, place, target.settings, starting, count=None, **options)
        except typer.Exit as end:
            return end.exit_code
    return 0


def _show(found: Confirming, target: Target, *, as_json: bool, launched: bool, options: str) -> None:
    """Print what the seeds have shown so far."""
    from sweeper.cli.confirmation_view import show_confirmation

    shown = _confirmation(target)
    if as_json:
        told = {
            "sweep": target.ref.path,
            "confirming": [ref.path for ref in found.sweeps],
            "registered": sum(found.plan.seeds),
            "seed_parameter": found.seed.name,
            "confirmation": shown and shown.to_json(),
        }
        print_json(told)
        return
    show_confirmation(shown)
    if launched or not found.sweeps:
        say_next(f"sweeper status {target.ref.quoted}")
    for ref in () if launched else found.sweeps:
        say_next(f"sweeper launch {ref.quoted}{options}")


def _confirmation(target: Target) -> Confirmation | None:
    reader = target.reader()
    reader.read()
    return reader.confirmation()
