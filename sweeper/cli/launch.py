"""`sweeper launch`: workers on this machine, their progress while they run, the best run at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from sweeper.cli.options import BackendOption, Sweep
from sweeper.cli.output import complain, err, say_backend, say_next, show
from sweeper.errors import LaunchError, SweeperError
from sweeper.run import RunState
from sweeper.settings import Settings

if TYPE_CHECKING:
    from sweeper.status import RunStatus, SweepStatus
    from sweeper.verbs import Launch, LaunchResult, StatusPoller, StatusReader


def launch(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    gpus: Annotated[
        str | None,
        typer.Option(help="all (default), idle, or numbers as in nvidia-smi, ranges and UUIDs: 0,2-3,GPU-8932f937."),
    ] = None,
    per_gpu: Annotated[int | None, typer.Option(min=1, help="Runs at a time on every GPU; 1 by default.")] = None,
    gpus_per_run: Annotated[
        int | None, typer.Option(min=1, help="GPUs that every run sees (for DDP); 1 by default.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Runs over all workers together, exactly (`wandb agent --count` is per agent); "
            "until the sweep ends if left out.",
        ),
    ] = None,
    trainer: Annotated[
        str | None,
        typer.Option(help="The function every run calls, package.module:function; `trainer.train:train` by default."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="CPU workers instead of GPUs, which share its cores; two by default.")
    ] = None,
    grace: Annotated[float, typer.Option(min=1, help="Seconds a run may take to end after a Ctrl-C.")] = 30.0,
    backend: BackendOption = "auto",
) -> None:
    """Run a sweep on every GPU of this machine, one fresh process per run.

    Ctrl-C stops gently: runs send what they have. A second Ctrl-C kills.

    Example: sweeper launch --gpus 0,1 --count 20
    """
    from sweeper import session, verbs
    from sweeper.launch.plan import Asked

    settings = Settings.from_env()
    asked = Asked(gpus=gpus, workers=workers, per_gpu=per_gpu, gpus_per_run=gpus_per_run)
    plan = verbs.plan_machine(settings, asked)
    server = session.open_backend(settings, session.follow_last(settings, backend, sweep))
    say_backend(server)
    reader = verbs.StatusReader(session.resolve(settings, server, sweep), settings)
    prepared = verbs.prepare_launch(
        reader, settings=settings, backend=server, slots=plan.slots, trainer=trainer, count=count, grace_s=grace
    )
    _announce(prepared, plan.notes)
    result = _watch(prepared, reader)
    _conclude(prepared, result, reader)


def _announce(launch: Launch, notes: Sequence[str]) -> None:
    names = ", ".join(slot.name for slot in launch.slots)
    count = "until the sweep ends" if launch.count is None else f"{launch.count} runs"
    err.print(f"launching {escape(launch.ref.path)} on {names}: {count}, {escape(launch.trainer)}", soft_wrap=True)
    for note in notes:
        err.print(f"[yellow]{escape(note)}[/]", soft_wrap=True)
    err.print(f"[dim]logs: {escape(str(launch.directory.path))}[/]", soft_wrap=True)


def _watch(launch: Launch, reader: StatusReader) -> LaunchResult:
    from sweeper import verbs

    def say_stopping(asked: int) -> None:
        gently = f"stopping: runs have {launch.grace_s:g} s to send what they have; Ctrl-C again kills"
        err.print(gently if asked == 1 else "killing", soft_wrap=True)

    with verbs.StatusPoller(reader) as poller:
        if sys.stderr.isatty():
            with Live(console=err, refresh_per_second=4, transient=True) as live:
                tick = partial(_draw, live, launch, poller)
                return verbs.run_launch(launch, tick=tick, on_stop=say_stopping)
        log = ProgressLog(launch)
        result = verbs.run_launch(launch, tick=lambda: log.tell(poller.latest), on_stop=say_stopping)
    log.tell(poller.read())
    return result


def _draw(live: Live, launch: Launch, poller: StatusPoller) -> None:
    from sweeper.tables import live_view

    if poller.latest is None:
        live.update(Text(poller.trouble or "starting workers: importing torch takes a few seconds"))
    else:
        status = replace(poller.latest, total=_target(launch))
        live.update(live_view(status, height=live.console.height))


def _target(launch: Launch) -> int | None:
    """Count the runs there will be when this launch is done; None if it goes on until the sweep is stopped."""
    before = launch.before
    limits = [before.total, launch.count and before.done + launch.count]
    return min((limit for limit in limits if limit is not None), default=None)


class ProgressLog:
    """Progress as plain lines, one for each run that starts or ends: for pipes and log files.

    Args:
        launch: What is going on; nothing that was before it is news.
    """

    def __init__(self, launch: Launch) -> None:
        self._told = {run.id: run.state.value for run in launch.before.runs}
        self._target = _target(launch)

    def tell(self, status: SweepStatus | None) -> None:
        """Print what is new."""
        if status is None:
            return
        for run in status.runs:
            if self._told.get(run.id) != run.state.value and run.state.value != "pending":
                self._told[run.id] = run.state.value
                done = sum(RunState(state).ended for state in self._told.values())
                err.print(escape(self._line(run, status, done)), soft_wrap=True)

    def _line(self, run: RunStatus, status: SweepStatus, done: int) -> str:
        from sweeper.tables import duration, number, parameters

        if not run.state.ended:
            return f"{run.id} {run.state.value}: {parameters(run.params)}"
        value = f" {status.metric} {number(run.best)}" if run.best is not None else ""
        why = f" ({run.reason})" if run.reason else ""
        progress = f"{done}/{self._target or '?'} done"
        return f"{run.id} {run.state.value}{value} in {duration(run.duration_s)}, {progress}{why}"


def _conclude(launch: Launch, result: LaunchResult, reader: StatusReader) -> None:
    """Print the end state and the best run with its model; exit 0 only if all went well."""
    from sweeper.tables import status_view

    try:
        reader.fetch_model(reader.read())
        show(status_view(reader.read()))
    except SweeperError as error:  # the runs are safe; only the summary is not
        complain(error)
    for slot, why in result.errors.items():
        complain(LaunchError(f"{slot} gave up: {why}"))
    if not (result.runs or result.errors or result.interrupted):
        err.print("the sweep has no more runs to give")
    say_next("sweeper launch" if result.interrupted else f"sweeper status {launch.ref}")
    if result.interrupted:
        raise typer.Exit(130)
    if not result.ok:
        raise typer.Exit(1)
