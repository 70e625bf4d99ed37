"""`sweeper check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sweeper.cli.launch_options import Python
from sweeper.cli.options import AsJson
from sweeper.cli.output import err, escape, out, print_json
from sweeper.settings import Settings

if TYPE_CHECKING:
    from sweeper.definition.check import Check

Trainer = Annotated[
    str | None,
    typer.Option(
        help="Also check the file against this function (package.module:function), which is imported.",
        show_default=False,
    ),
]


def check(
    files: Annotated[list[Path], typer.Argument(help="Sweep files (YAML).", show_default=False)],
    trainer: Trainer = None,
    python: Python = None,
    as_json: AsJson = False,
) -> None:
    """Check sweep files without a server, and show what they would search.

    Exits with 1 if a file has a fault; warnings alone are no fault.

    Example: sweeper check sweeps/*.yaml
    """
    from sweeper.definition import interpreter

    environ = interpreter.chosen(python, Settings.from_env().environ)
    checks = [_checked(path, trainer, environ) for path in files]
    if as_json:
        print_json([to_json(found) for found in checks])
    else:
        for index, found in enumerate(checks):
            out.print("\n" if index else "", end="")
            _report(found)
        _sum_up(checks)
    if any(found.faults for found in checks):
        raise typer.Exit(1)


def _checked(path: Path, trainer: str | None, environ: Mapping[str, str]) -> Check:
    from sweeper.definition.check import Check, Look, check_file
    from sweeper.definition.yaml_document import Fault
    from sweeper.errors import DefinitionError

    try:
        return check_file(path, trainer=trainer, look=Look(path.parent, environ))
    except DefinitionError as error:  # it cannot be read; the others still can
        faults = error.faults or (Fault(0, 0, (), error.message.partition(": ")[2], error.hint),)
        return Check(source=str(path), faults=faults)


def to_json(found: Check) -> dict[str, Any]:
    """Give a checked file as JSON: the file, what is wrong with it, and what it searches."""
    from sweeper.search.preview import first_rungs, first_suggestions

    sweep = found.definition
    return {
        "file": found.source,
        "ok": not found.faults,
        "errors": [asdict(fault) for fault in found.faults],
        "warnings": [asdict(fault) for fault in found.warnings],
        "trainer": found.choice and found.choice.target,
        "method": sweep and sweep.method,
        "metric": sweep and sweep.metric and sweep.metric.model_dump(),
        "metrics": sweep and sweep.metrics and [metric.model_dump() for metric in sweep.metrics],
        # `law` is what the column was called first; scripts read it
        "parameters": [{**asdict(row), "law": row.distribution} for row in found.rows],
        "configurations": sweep and sweep.configurations,
        "expected_runs": sweep and sweep.expected_runs,
        "rungs": first_rungs(sweep) if sweep else (),
        "samples": first_suggestions(sweep) if sweep else (),
    }


def _report(found: Check) -> None:
    if found.definition:
        out.print(_view(found), crop=False)
    say_faults(found)


def say_faults(found: Check) -> None:
    """Print faults and warnings as compilers do, on stderr."""
    for fault in (*found.faults, *found.warnings):
        style = "red" if fault.level == "error" else "yellow"
        head, _, fix = fault.render(found.source).partition("\n")
        err.print(f"[{style}]{escape(head)}[/]", soft_wrap=True)
        if fix:
            err.print(f"[dim]{escape(fix)}[/]", soft_wrap=True)


def _sum_up(checks: list[Check]) -> None:
    wrong = sum(len(found.faults) for found in checks)
    warned = sum(len(found.warnings) for found in checks)
    files = f"{len(checks)} {'file' if len(checks) == 1 else 'files'}"
    err.print(f"{files}, {_many(wrong, 'error')}, {_many(warned, 'warning')}", style="red" if wrong else "green")


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _view(found: Check) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("parameter", "distribution", "range", "default"):
        table.add_column(column, overflow="fold", no_wrap=column == "distribution")
    for row in found.rows:
        table.add_row(*map(Text, (row.name, row.distribution, row.range, row.default)))
    facts = Table.grid(padding=(0, 2))
    for name, fact in _facts(found):
        facts.add_row(Text(name, style="bold"), Text(fact))
    return Group(Text(found.source, style="bold"), Padding(table, (0, 0, 0, 2)), Padding(facts, (0, 0, 0, 2)))


def _facts(found: Check) -> Iterator[tuple[str, str]]:
    from sweeper.readable import parameters
    from sweeper.search.preview import first_rungs, first_suggestions, shown

    sweep = found.sweep if not found.faults else found.definition
    if sweep is None:
        return
    if found.choice:
        yield "trainer", str(found.choice)
    yield "method", ", ".join(filter(None, [sweep.method, sweep.aim]))
    size = sweep.configurations
    times = f", each run {sweep.sweeper.repeats} times" if sweep.sweeper.repeats > 1 else ""
    yield "configurations", ("continuous" if size is None else f"{size:,}") + times
    yield "runs", "until stopped" if sweep.expected_runs is None else f"{sweep.expected_runs:,}"
    if sweep.stopping and (rungs := first_rungs(sweep)):
        yield "rungs", f"{', '.join(map(str, rungs))}{sweep.stopping.rungs_text()}"
    for number, sample in enumerate(first_suggestions(sweep), start=1):
        yield f"sample {number}", parameters(shown(sweep, sample))
