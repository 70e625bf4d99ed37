"""`sweeper delete`: sweeps, or runs, for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.asking import Yes, agreed
from sweeper.cli.completion import complete_sweep
from sweeper.cli.options import AsJson, BackendOption
from sweeper.cli.output import err, escape, out, print_json, progress_bar
from sweeper.cli.target import check_name, find_target
from sweeper.settings import BackendChoice, Settings

if TYPE_CHECKING:
    from sweeper.results.delete_sweep import Deletion


def delete(
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="SWEEP|RUN...",
            help="Sweeps, or runs that this machine has run.",
            autocompletion=complete_sweep,
            show_default=False,
        ),
    ],
    sweep: Annotated[
        str | None, typer.Option(help="The ids are runs of this sweep, or names of them.", show_default=False)
    ] = None,
    yes: Yes = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Delete sweeps, or single runs, for good: rows, files, artifacts, and on this machine checkpoints and logs.

    Says what goes, and asks. What is at work is refused. Of a sweep that goes on, a deleted run's configuration is free
    again. Interrupted, the same command goes on.

    Example: sweeper delete 9k2x7q1p
    """
    found = _find(_asked(ids, sweep), backend)
    if not as_json:
        for one in found:
            _say(one)
    deleted = agreed("Delete for good?", yes=yes)
    for one in found if deleted else ():
        with progress_bar("deleting", one.held.runs) as bar:
            one.carry_out(bar.reach)
    if as_json:
        print_json({"deleted": deleted, "sweeps": [one.to_json() for one in found]})
    else:
        _tell(found, deleted=deleted)
    raise typer.Exit(0 if deleted else 1)


def _asked(ids: Sequence[str], sweep: str | None) -> list[tuple[str, list[str] | None]]:
    """Sort what was asked for by sweeps: the sweep, and its runs if it does not go as a whole."""
    from sweeper.backend import choose

    if sweep is not None:
        return [(sweep, [*ids])]
    settings, asked = Settings.from_env(), dict[str, list[str] | None]()
    for one in ids:
        of = choose.sweep_of_run(settings, one)
        if of is None:
            asked[one] = None
        elif (runs := asked.setdefault(of.path, [])) is not None:
            runs.append(one)
    return [*asked.items()]


def _find(asked: Sequence[tuple[str, list[str] | None]], backend: BackendChoice) -> list[Deletion]:
    """Look for all that was asked for, on the one server that this process is pointed at."""
    first = find_target(asked[0][0], backend)
    from sweeper.backend import choose
    from sweeper.results.delete_sweep import Deletion

    for name, _ in asked[1:]:
        check_name(name)
    refs = [first.ref, *(choose.resolve(first.settings, first.backend, name) for name, _ in asked[1:])]
    whole = {ref: runs for ref, (_, runs) in zip(refs, asked, strict=True)}  # a sweep may have been named twice
    return [Deletion(ref, first.settings, first.backend, runs) for ref, runs in whole.items()]


def _say(found: Deletion) -> None:
    """Say what goes."""
    from sweeper.readable import runs_word, size

    held = found.held
    parts = [runs_word(held.runs)]
    if held.files is not None and held.artifacts is not None:
        parts.append(f"{_many(held.files, 'file')} ({size(held.file_bytes)})")
        parts.append(f"{_many(held.artifacts, 'artifact')} ({size(held.artifact_bytes)})")
    else:
        parts.append("with files and artifacts, how many the server does not tell")
    what = "sweep" if found.whole else "of sweep"
    out.print(f"{what} {escape(found.ref.path)}: {', '.join(parts)}", soft_wrap=True)
    here = f"{_many(held.checkpoints, 'checkpoint')}, {size(held.local_bytes)} in all with logs"
    out.print(f"  on this machine: {here if held.local_bytes else 'nothing'}", soft_wrap=True)
    if held.learners:
        names = escape(", ".join(held.learners))
        out.print(f"  sweeps that learn from its runs, and will know them no more: {names}", soft_wrap=True)
    if found.stays:
        err.print(f"[yellow]{escape(found.stays)}[/]", soft_wrap=True)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _tell(found: Sequence[Deletion], *, deleted: bool) -> None:
    from sweeper.readable import runs_word

    if not deleted:
        out.print("nothing was deleted")
    for one in found if deleted else ():
        name = escape(one.ref.path)
        went = f"{runs_word(one.held.runs)} of sweep {name}" if one.stays or not one.whole else f"sweep {name}"
        out.print(f"deleted: {went}", soft_wrap=True)
