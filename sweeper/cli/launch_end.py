"""The end of `sweeper launch`: what became of it, in words or as JSON, and its exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from sweeper.cli.output import complain, err, escape, out, print_json, say_next, show
from sweeper.definition import interpreter
from sweeper.errors import LaunchError, NothingLeftError, SweeperError
from sweeper.run import RunState

if TYPE_CHECKING:
    from sweeper.cli.target import Target
    from sweeper.launch.launch_result import LaunchResult
    from sweeper.launch.prepare import Launch
    from sweeper.results.status import SweepStatus
    from sweeper.results.status_reader import StatusReader

CURVES = 50
"""Runs that are drawn with their curves; fewer are shown of a sweep with more."""
NAMED = 5
"""How many failed runs are named at the end; the status above has them all."""


def conclude(
    launch: Launch, result: LaunchResult, reader: StatusReader, target: Target, *, as_json: bool = False
) -> None:
    """Print the end state and the best run with its model; exit 0 only if all went well."""
    status = None
    try:
        target.check()
        status = reader.fetch_model(reader.read(curves=0 if as_json else CURVES))
    except SweeperError as error:  # the runs are safe; only the summary is not
        complain(error)
    with contextlib.suppress(BrokenPipeError):  # who reads has seen enough; the exit code is still that of the runs
        if status is not None and not as_json:
            from sweeper.cli.tables import status_view

            show(status_view(status, width=out.width))
        _say_what_ended(result, status, target, launch.count if launch.group else None)
        if as_json:
            print_json(to_json(launch, result, status))
        else:
            again = target.command("launch") + interpreter.option(launch.python)
            say_next(again if result.interrupted else f"{target.environ}sweeper status {launch.ref.quoted}")
    if result.interrupted:
        raise typer.Exit(130)  # as a shell reports a process that SIGINT ended
    if not result.ok:
        raise typer.Exit(1)


@contextlib.contextmanager
def nothing_left_is_fine(sweep: str, starting: contextlib.ExitStack, *, as_json: bool) -> Iterator[None]:
    """Say that a machine came too late, which is no mistake of whoever sent several: a pod that is started once more.

    Args:
        sweep: As it was named.
        starting: What moves on the terminal until something is printed.
        as_json: Whether a document tells it, too.
    """
    try:
        yield
    except NothingLeftError as over:
        starting.close()
        err.print(escape(f"no run was left for this machine: {over.message}"), soft_wrap=True)
        if as_json:
            nothing: dict[str, Any] = {"slots": [], "errors": {}, "runs": [], "status": None}
            ended = {"ok": True, "interrupted": False, "ended": over.message, "planned": True}
            print_json({"sweep": sweep, "url": over.url, **ended, **nothing})


def _say_what_ended(
    result: LaunchResult, status: SweepStatus | None, target: Target, shared: int | None = None
) -> None:
    from sweeper.cli.progress_log import cut_off
    from sweeper.readable import runs_word
    from sweeper.results.outlook import why_over

    for slot, why in result.errors.items():
        complain(LaunchError(f"{slot} gave up: {why}"))
    # a run that raised after its last `finish` stays finished for its server: there is nothing to hand out again
    again = status is None or any(run.state in {RunState.FAILED, RunState.CRASHED} for run in status.runs)
    if failed := [run.run_id for run in result.runs if run.failed]:
        how_many = f"{len(failed)} of {runs_word(len(result.runs))}"
        fix = f"why: sweeper logs {failed[-1]}" + (f"; once more: {target.command('retry')}" if again else "")
        complain(LaunchError(f"{how_many} failed: {', '.join(failed[:NAMED])}{' ...' * (len(failed) > NAMED)}", fix))
    if result.ended and result.planned:
        err.print(escape(result.ended), soft_wrap=True)
    elif result.ended:
        over = status is not None and why_over(status)
        then = "sweeper create FILE" if over and not again else target.command("retry" if over else "launch")
        complain(LaunchError(f"the launch ended early: {result.ended}", f"mend it, then: {then}"))
    elif status is not None and (words := cut_off(status)):
        err.print(escape(words), soft_wrap=True)
    elif not (result.runs or result.errors or result.interrupted):
        why = why_over(status) if status else ""
        if shared and not why:
            whole = f"the {runs_word(shared)} of its group are made: more with a greater --count, or another --group"
            err.print(f"no run was left for this machine: {whole}", soft_wrap=True)
            return
        err.print(escape("the sweep has no more runs to give" + (f": {why}" if why else "")), soft_wrap=True)


def to_json(launch: Launch, result: LaunchResult, status: SweepStatus | None) -> dict[str, Any]:
    """Give what `sweeper launch --json` prints."""
    runs = (
        {
            "id": run.run_id,
            "slot": run.slot,
            "outcome": run.outcome,
            "reason": run.reason,
            "attempt": run.attempt,
            "duration_s": run.wall_s,
            "log": run.log,
        }
        for run in result.runs
    )
    return {
        "sweep": launch.ref.path,
        "url": launch.before.facts.url,
        "ok": result.ok,
        "interrupted": result.interrupted,
        "ended": result.ended,
        "planned": result.planned,
        "slots": [slot.name for slot in launch.slots],
        "errors": result.errors,
        "runs": list(runs),
        "status": status and status.to_json(),
    }
