"""`sweeper runs`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.output import escape, json_text, out, say_next, show
from sweeper.cli.target import Target, find_target
from sweeper.errors import UsageError

if TYPE_CHECKING:
    from sweeper.results.run_columns import RunColumn, RunColumns
    from sweeper.results.status import RunStatus


def runs(  # noqa: PLR0917 Typer passes them by name
    sweep: Sweep = None,
    conditions: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            "-f",
            metavar="CONDITIONS",
            help="Runs for which all of it holds, such as 'val_accuracy>0.9 state=finished lr<1e-3'. Names: "
            "parameters, the metric (its best value), what was logged, state, duration, name, slot, created. "
            "Operators: = != > >= < <= and ~ for contains.",
            show_default=False,
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="By what: +NAME upwards, -NAME downwards; NAME alone has a metric's best first, else upwards.",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Which columns, by the same names.", show_default=False)
    ] = None,
    top: Annotated[
        int | None,
        typer.Option("--top", "-n", min=1, help="So many of them, the best if nothing is sorted.", show_default=False),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """List a sweep's runs: sorted, filtered, as a table or CSV; the oldest first.

    Example: sweeper runs --filter 'val_accuracy>0.9 state=finished' --top 10
    """
    from sweeper.results import run_filter  # here for the reason in target.py

    wanted = [condition for text in conditions or () for condition in run_filter.parse(text)]
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", "give one of them")
    target = find_target(sweep, backend)
    known = _columns(target)
    found = known.filtered(wanted)
    if sort or top:
        found = _sorted(known, found, sort)
    chosen = [known.get(name.strip(), "--columns") for name in columns.split(",") if name.strip()] if columns else []
    shown = found[:top]
    if as_csv:
        _print_csv(shown, chosen or _all_columns(known))
    elif as_json:
        _print_json(known, shown, len(found), chosen)
    else:
        _print_table(target, known, shown, len(found), chosen)


def _columns(target: Target) -> RunColumns:
    from sweeper.backend import any_sweeps
    from sweeper.results.run_columns import RunColumns

    reader = target.reader()
    status = reader.read()
    created = {run.id: run.created_at for run in reader.runs if run.created_at}
    return RunColumns(status, created, partial(any_sweeps.whole_runs, target.ref, target.settings, target.backend))


def _sorted(known: RunColumns, found: list[RunStatus], sort: str | None) -> list[RunStatus]:
    """Sort runs as is asked for, else the best or the front first."""
    from sweeper.results import run_columns

    if sort:
        direction: run_columns.Direction = "-" if sort[0] == "-" else "+" if sort[0] == "+" else ""
        return run_columns.ordered(found, known.get(sort.removeprefix(direction), "--sort"), direction)
    if known.status.facts.metric:
        return run_columns.best_first(found, known.fixed()["best"])
    leading = {run.id for run in known.status.standing.front}
    return sorted(found, key=lambda run: run.id not in leading)


def _all_columns(known: RunColumns) -> list[RunColumn]:
    fixed = known.fixed()
    return [*fixed.values(), *(one for one in known.parameters().values() if one.name not in fixed)]


def _print_csv(shown: list[RunStatus], columns: list[RunColumn]) -> None:
    from sweeper.results import run_columns, table_files
    from sweeper.results.export import Table

    with Table(tuple(column.name for column in columns)) as table:
        for row in run_columns.cells(shown, columns):
            table.add(row)
        table_files.write(table, "csv", None, sys.stdout)


def _print_json(known: RunColumns, shown: list[RunStatus], matching: int, chosen: list[RunColumn]) -> None:
    from sweeper.results.run_columns import cells

    facts = known.status.facts
    head = {
        "sweep": facts.sweep,
        "metric": facts.metric,
        "metrics": dict(facts.metrics),
        "goal": facts.goal,
        "total": len(known.status.runs),
        "matching": matching,
    }
    rows = (_run_json(run, known, values) for run, values in zip(shown, cells(shown, chosen), strict=True))
    # a run a line, as in `status --json` of many: laying ten thousand of them out takes seconds
    out.print_lines(json_text(head)[:-1] + ', "runs": [', map(json_text, rows), "]}")


def _run_json(run: RunStatus, known: RunColumns, values: dict[str, Any]) -> dict[str, Any]:
    made = known.created.get(run.id)
    return {
        "id": run.id,
        "name": run.name,
        "state": run.state.value,
        "params": dict(run.params),
        "best": run.best,
        "last": run.last,
        "values": dict(run.values),
        "duration_s": run.duration_s,
        "created_at": made.isoformat() if made else None,
        "slot": run.slot,
        "attempts": run.attempts,
        "reason": run.reason,
        "kind": run.kind,
        "gap": run.gap,
        "columns": values,
    }


def _print_table(
    target: Target, known: RunColumns, shown: list[RunStatus], matching: int, chosen: list[RunColumn]
) -> None:
    from sweeper.cli.runs_table import chosen_table, default_table

    total = len(known.status.runs)
    if not total:
        out.print("no run yet")
        say_next(target.command("launch"))
        return
    if shown:
        show(chosen_table(shown, chosen) if chosen else default_table(known, shown, width=out.width))
    counted = f"{len(shown):,} of {total:,} runs" if len(shown) < total else f"{total:,} runs"
    held = f", {matching:,} match" if matching not in {total, len(shown)} else ""
    aim = f", best {escape(known.status.facts.aim)}" if known.status.facts.metric and not chosen else ""
    out.print(f"[dim]{counted}{held}{aim}[/]", soft_wrap=True)
    if shown:
        say_next(f"sweeper show {shown[0].id}" + (f" --sweep {target.ref.quoted}" if target.named else ""))
