"""`sweeper launch`: workers on this machine, their progress while they run, the best run at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeper import temporary_folder
from sweeper.backend.disk_room import ROOM_FOR_RUNS
from sweeper.cli import launch_end
from sweeper.cli.launch_on import check_local, launch_on
from sweeper.cli.launch_options import (
    Address,
    Certificate,
    Gpus,
    GpusPerRun,
    InsecureHttp,
    Keep,
    KeyFile,
    NodesPerRun,
    On,
    Partition,
    PerGpu,
    Python,
    Retries,
    ServerPlace,
    ServerTime,
    Share,
    SlurmOptions,
    SnapshotEvery,
    Time,
    Timeout,
    Trainer,
    Workers,
    seconds,
)
from sweeper.cli.launch_screen import STARTING, moving
from sweeper.cli.launch_watch import announce, detach_launch, watch_launch
from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.target import Target, find_target
from sweeper.errors import UsageError
from sweeper.settings import Settings
from sweeper.worker.spec import Rules

if TYPE_CHECKING:
    from sweeper.launch.claims import Claim, Claims
    from sweeper.launch.forkserver_process import ForkserverProcess
    from sweeper.launch.launch_result import LaunchResult
    from sweeper.launch.plan import Plan
    from sweeper.launch.prepare import Launch
    from sweeper.results.status_reader import StatusReader

DEFAULTS = Rules()

Count = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Runs over all workers together, exactly (`wandb agent --count` is per agent); "
        "until the sweep ends if left out.",
    ),
]
Grace = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Seconds a run may take to end after a Ctrl-C.")]
MaxFailures = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="End the launch after so many failed runs in a row.")
]
TimeBudget = Annotated[
    str | None, typer.Option(metavar="TIME", help="End the launch after 12h, say; its runs go on with the next one.")
]
StopAtTarget = Annotated[
    bool, typer.Option("--stop-at-target", help="Start no run once one has reached the metric's `target:`.")
]

Isolation = Annotated[
    bool,
    typer.Option(
        "--isolation/--no-isolation", help="Without, a slot's runs share one process, in the thread of a stock agent."
    ),
]
WithoutMetric = Annotated[
    bool,
    typer.Option(
        "--without-metric",
        help="Go on although no run logs the sweep's metric: else the third ends a launch that goes by it.",
    ),
]
Detach = Annotated[
    bool, typer.Option("--detach", help="Go on in the background, also after a logout; `sweeper status` finds it.")
]


def launch(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    gpus: Gpus = None,
    per_gpu: PerGpu = None,
    gpus_per_run: GpusPerRun = None,
    share: Share = False,
    count: Count = None,
    trainer: Trainer = None,
    python: Python = None,
    workers: Workers = None,
    grace: Grace = DEFAULTS.grace_s,
    retries: Retries = DEFAULTS.retries,
    max_failures: MaxFailures = DEFAULTS.max_failures,
    timeout: Timeout = None,
    time_budget: TimeBudget = None,
    stop_at_target: StopAtTarget = DEFAULTS.stop_at_target,
    without_metric: WithoutMetric = DEFAULTS.without_metric,
    isolation: Isolation = DEFAULTS.isolated,
    detach: Detach = False,
    on: On = "local",
    nodes_per_run: NodesPerRun = None,
    keep: Keep = None,
    partition: Partition = None,
    time: Time = None,
    slurm: SlurmOptions = None,
    server: ServerPlace = None,
    key_file: KeyFile = None,
    certificate: Certificate = None,
    insecure_http: InsecureHttp = False,
    server_time: ServerTime = None,
    snapshot_every: SnapshotEvery = None,
    address: Address = None,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Run a sweep on every GPU of this machine, or on a cluster, one fresh process per run.

    Ctrl-C stops gently: runs send what they have. A second Ctrl-C kills.

    Example: sweeper launch --gpus 0,1 --count 20
    """
    given = dict(locals())
    with moving(STARTING) as starting:  # before all that takes a moment
        rules = _rules(given)
        check_gpus_are_one_word(gpus, sweep)
        options = {"trainer": trainer, "python": python, "count": count, "rules": rules}
        if on != "local":
            launch_on(on, given, starting, **options)
            return
        check_local(given)
        settings = Settings.from_env()
        places = ("gpus", "workers", "per_gpu", "gpus_per_run", "share")
        place = find_place(settings, **{name: given[name] for name in places})  # what cannot be is told before a server
        if detach:
            target = find_target(sweep, backend)
            detach_launch(target.reader(), target.settings, starting, as_json=as_json)
        else:
            run_sweep(partial(find_target, sweep, backend), place, settings, starting, as_json=as_json, **options)


def _rules(given: Mapping[str, Any]) -> Rules:
    """Put what the options say about failures and time together."""
    return Rules(
        grace_s=given["grace"],
        retries=given["retries"],
        max_failures=given["max_failures"],
        timeout_s=seconds(given["timeout"], "--timeout"),
        time_budget_s=seconds(given["time_budget"], "--time-budget"),
        stop_at_target=given["stop_at_target"],
        isolated=given["isolation"],
        without_metric=given["without_metric"],
    )


@dataclass(frozen=True, slots=True)
class LaunchPlace:
    """Where on this machine runs go.

    Attributes:
        plan: Plans the slots beside what other launches hold.
        claims: What launches hold.
        threads: The threads that a run may have.
    """

    plan: Callable[[Sequence[Claim]], Plan]
    claims: Claims
    threads: int


def find_place(settings: Settings, **request: Any) -> LaunchPlace:
    """Look whether this machine has what is asked for: the fields of a `SlotRequest`.

    Raises:
        LaunchError: It has not, or something else holds it.
    """
    from sweeper.launch.claims import Claims  # here for the reason in target.py
    from sweeper.launch.plan import SlotRequest, plan_slots, this_machine

    plan, claims = partial(plan_slots, this_machine(settings), SlotRequest(**request)), Claims(settings.home)
    return LaunchPlace(plan, claims, plan(claims.living()).slots[0].threads)


def run_sweep(
    find: Callable[[], Target],
    place: LaunchPlace,
    settings: Settings,
    starting: ExitStack,
    *,
    as_json: bool = False,
    **options: Any,
) -> None:
    """Run a sweep here until it has ended, and say what came of it.

    Args:
        find: Finds the sweep: which one it is, and its trainer, we learn while the first process imports.
        place: Where its runs go.
        settings: The user's environment.
        starting: What moves until then, and is closed.
        as_json: Whether what came of it is told as JSON.
        options: Its trainer, the number of runs and whose they are, and the rules.
    """
    from sweeper.launch.forkserver_process import ForkserverProcess
    from sweeper.launch.local import worker_environ

    temporary_folder.remove_left()
    with closing(ForkserverProcess(worker_environ(settings.environ, threads=place.threads))) as forkserver:
        target = find()
        reader = target.reader()
        prepared, result = _work(target, reader, place, forkserver, starting, **options)
    launch_end.conclude(prepared, result, reader, target, as_json=as_json)


def _work(
    target: Target,
    reader: StatusReader,
    place: LaunchPlace,
    forkserver: ForkserverProcess,
    starting: ExitStack,
    **options: Any,
) -> tuple[Launch, LaunchResult]:
    """Launch on what the machine has for it, and stay until all has ended."""
    from sweeper.launch.prepare import prepare_launch

    target.check_room(ROOM_FOR_RUNS)
    with place.claims.taken(target.ref.path, place.plan) as planned:
        settings, server = target.settings, target.backend
        prepared = prepare_launch(reader, settings=settings, backend=server, slots=planned.slots, **options)
        announce(prepared, planned.notes, target)
        starting.close()  # from here on something else moves
        return prepared, watch_launch(prepared, reader, target, forkserver=forkserver)


def check_gpus_are_one_word(gpus: str | None, sweep: str | None) -> None:
    """Refuse `--gpus 0 1`, whose 1 would be taken for a sweep.

    Raises:
        UsageError: It was written so.
    """
    if gpus is not None and sweep is not None and re.fullmatch(r",?\d{1,2},?", sweep):
        fix = f"put commas between them, without a space: --gpus {gpus.strip(',')},{sweep.strip(',')}"
        raise UsageError(f"--gpus {gpus} {sweep}: {sweep} would be the sweep's id", fix)
