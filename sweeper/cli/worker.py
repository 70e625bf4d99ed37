"""`sweeper worker`: this machine works on a sweep of a server elsewhere, beside others."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli import launch, launch_end
from sweeper.cli.completion import complete_sweep
from sweeper.cli.launch import (
    DEFAULTS,
    Detach,
    Grace,
    Isolation,
    MaxFailures,
    StopAtTarget,
    TimeBudget,
    WithoutMetric,
)
from sweeper.cli.launch_options import (
    Certificate,
    Gpus,
    GpusPerRun,
    InsecureHttp,
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
from sweeper.cli.launch_watch import detach_launch
from sweeper.cli.options import AsJson
from sweeper.cli.output import err
from sweeper.cli.server_door import ServerDoor
from sweeper.cli.target import Target, check_name
from sweeper.errors import BackendError, UsageError
from sweeper.settings import Settings
from sweeper.worker.spec import Rules

if TYPE_CHECKING:
    from sweeper.backend.joining import JoinedServer
    from sweeper.ref import SweepRef

GROUP = "worker"
"""The group of all machines that name no other."""

Sweep = Annotated[
    str, typer.Argument(help="ID, PROJECT/ID or ENTITY/PROJECT/ID.", autocompletion=complete_sweep, show_default=False)
]
Server = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The server that has the sweep. SWEEPER_SERVER names it too, and else WANDB_BASE_URL with WANDB_API_KEY.",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A file with the key for it; `-` reads standard input. SWEEPER_KEY_FILE says so too.",
        readable=False,  # what cannot be read is told with what to do about it
    ),
]
Count = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Runs that all machines of the group have together since the sweep began, exactly; until the sweep ends "
        "if left out. Each machine goes by its own N.",
    ),
]
Group = Annotated[
    str, typer.Option(metavar="NAME", help="For which group --count counts; another name starts a count of its own.")
]


def worker(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep,
    server: Server = None,
    key_file: KeyFile = None,
    certificate: Certificate = None,
    insecure_http: InsecureHttp = False,
    gpus: Gpus = None,
    per_gpu: PerGpu = None,
    gpus_per_run: GpusPerRun = None,
    workers: Workers = None,
    share: Share = False,
    count: Count = None,
    group: Group = GROUP,
    trainer: Trainer = None,
    python: Python = None,
    grace: Grace = DEFAULTS.grace_s,
    retries: Retries = DEFAULTS.retries,
    max_failures: MaxFailures = DEFAULTS.max_failures,
    timeout: Timeout = None,
    time_budget: TimeBudget = None,
    stop_at_target: StopAtTarget = DEFAULTS.stop_at_target,
    without_metric: WithoutMetric = DEFAULTS.without_metric,
    isolation: Isolation = DEFAULTS.isolated,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Work on a sweep of a server elsewhere, beside other machines.

    Every machine that reaches the server may join, and leave by Ctrl-C at any
    time. One without work stays until the last run has ended: it takes over
    the runs of a machine that is lost.

    Example: sweeper worker 7f3k2m9q --server https://head:8080 --key-file key
    """
    with moving(STARTING) as starting:  # before all that takes a moment
        rules = Rules(
            grace_s=grace,
            retries=retries,
            max_failures=max_failures,
            timeout_s=seconds(timeout, "--timeout"),
            time_budget_s=seconds(time_budget, "--time-budget"),
            stop_at_target=stop_at_target,
            isolated=isolation,
            without_metric=without_metric,
        )
        launch.check_gpus_are_one_word(gpus, sweep)
        _check_words(sweep, group, key_file, detach=detach)
        door = ServerDoor(Settings.from_env(), server, key_file, certificate, insecure_http=insecure_http)
        request = {"gpus": gpus, "workers": workers, "per_gpu": per_gpu, "gpus_per_run": gpus_per_run, "share": share}
        place = launch.find_place(door.settings, **request)
        find = partial(_find, door, sweep, group, count)
        if detach:
            target = find()
            detach_launch(target.reader(), door.settings, starting, as_json=as_json)
            return
        options = {"trainer": trainer, "python": python, "count": count, "rules": rules, "group": group}
        with launch_end.nothing_left_is_fine(sweep, starting, as_json=as_json):
            launch.run_sweep(find, place, door.settings, starting, as_json=as_json, **options)


def _check_words(sweep: str, group: str, key_file: Path | None, *, detach: bool) -> None:
    """Refuse what cannot be meant, before anybody is asked.

    Raises:
        UsageError: It cannot.
        SweepNotFoundError: What is given for a sweep is a file, say.
    """
    check_name(sweep)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", group, re.ASCII):
        raise UsageError(
            f"--group {group!r} is no name of a group", "write letters, digits, `.`, `_` and `-`, 64 at most"
        )
    if detach and str(key_file) == "-":
        raise UsageError("--key-file - and --detach exclude each other", "what goes on in the background reads a file")


def _find(door: ServerDoor, sweep: str, group: str, count: int | None) -> Target:
    """Ask a server for a sweep, and whether it counts the runs of a group, if there is something to count.

    Raises:
        BackendError: It does not answer, does not take the key, or does not count.
        SweepNotFoundError: It has no such sweep.
    """
    server = door.open()
    ref = server.find(sweep)
    _check_count(server, ref, group, count)
    return door.target(server, ref, joined=f"--group {group}")


def _check_count(server: JoinedServer, ref: SweepRef, group: str, count: int | None) -> None:
    """Refuse a count that nobody would keep; say how many runs of it are made by now."""
    had = server.had(ref, group)
    if count is None:
        return
    url = server.backend.base_url
    if had is None and server.backend.own:
        what = f"{url} is of an older sweeper, which does not count runs over several machines"
        raise BackendError(what, "upgrade it, or leave out --count")
    if had is None:
        fix = f"leave it out, or have this machine count its own: sweeper launch --backend wandb --count {count}"
        raise BackendError(f"--count over several machines takes a server of sweeper's, which {url} is not", fix)
    if had:
        err.print(f"group {group} has had {min(had, count)} of {count} runs by now", soft_wrap=True)
